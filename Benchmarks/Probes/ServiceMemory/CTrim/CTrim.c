#include "CTrim.h"
#include <malloc.h>

void probe_trim(void) { malloc_trim(0); }
