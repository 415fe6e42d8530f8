"""Runs a program in which io_uring_setup fails with EPERM, as in many containers: without_io_uring.py PROGRAM ARG..."""

import ctypes
import os
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD_WORD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06  # BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ|BPF_K, BPF_RET|BPF_K
ALLOW, ERRNO, EPERM = 0x7FFF0000, 0x00050000, 1
IO_URING_SETUP = 425  # on every architecture

program = b"".join(struct.pack("<HBBI", *step) for step in [
    (LOAD_WORD, 0, 0, 0),                   # the system call's number
    (JUMP_IF_EQUAL, 0, 1, IO_URING_SETUP),  # another one: skip the next step
    (RETURN, 0, 0, ERRNO | EPERM),
    (RETURN, 0, 0, ALLOW),
])
libc = ctypes.CDLL(None, use_errno=True)
steps = ctypes.create_string_buffer(program, len(program))
filter_program = ctypes.create_string_buffer(struct.pack("@HP", 4, ctypes.addressof(steps)))
if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
    raise OSError(ctypes.get_errno(), "PR_SET_NO_NEW_PRIVS")
if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter_program, 0, 0) != 0:
    raise OSError(ctypes.get_errno(), "PR_SET_SECCOMP")
os.execvp(sys.argv[1], sys.argv[1:])
