// A monotonic clock that goes on by 20 ns each time it is read, in place of the machine's: what a program does then
// does not depend on how fast it runs.
#ifndef CVIRTUALCLOCK_H
#define CVIRTUALCLOCK_H

/// Puts the virtual clock in the machine's place; it starts at the machine's time.
void skein_use_virtual_clock(void);

#endif
