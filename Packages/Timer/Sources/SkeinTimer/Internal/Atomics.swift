// Atomics: which atomics and which lock this module is made of: Synchronization's and Platform's, or, in the module
// SkeinTimerModel that is made of the same sources for tests, those of the model checker.

#if SKEIN_MODEL
@_exported public import SkeinModelCheck

@usableFromInline typealias Atomic = ModelAtomic
@usableFromInline typealias Lock = ModelLock
#endif
