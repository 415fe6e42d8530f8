// Relax: tells the core that this thread waits for another one.

internal import SkeinPlatform

/// One turn of a short wait.
@usableFromInline
func skeinRelax() { PlatformThread.relax() }
