// Atomics: which atomics this module is made of: Synchronization's, or, in the module SkeinMailboxModel that is made of
// the same sources for tests, those of the model checker.

#if SKEIN_MODEL
@_exported public import SkeinModelCheck

@usableFromInline typealias Atomic = ModelAtomic
#endif
