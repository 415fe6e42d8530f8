// Atomics: which atomics lock and waiter are made of: Synchronization's, or, in a module that tests make of the same
// sources, those of the model checker.

#if SKEIN_MODEL
@_exported public import SkeinModelCheck

@usableFromInline typealias Atomic = ModelAtomic
#endif
