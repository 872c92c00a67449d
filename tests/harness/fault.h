/* Allocations that fail, one after the other. */
#ifndef HARNESS_FAULT_H
#define HARNESS_FAULT_H
#include "pds/base/err.h"
#include "pds/base/mem.h"

#include <stdbool.h>

/* Carry out call again and again: with its first allocation failing, then its second, and so on. The body
 * runs for each of these, with the outcome in e. It ends with the call that had no allocation left to fail:
 * this one must succeed, and its results are left in place for the lines that follow. Only allocations of
 * the calling thread fail. A function without an outcome is written (f(&b), buf_err(&b)). */
#define FAIL_EACH_ALLOCATION(e, call)                                                                        \
    for (long fault_nth = 1; mem_fail_at(fault_nth), (e) = (call), fault_was_hit((e), #call); fault_nth++)

/* Whether the fault was reached, which is switched off. */
bool fault_was_hit(enum err e, const char *call);
#endif
