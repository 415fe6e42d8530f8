// Swift's Glibc module leaves malloc.h out.
void probe_trim(void);
