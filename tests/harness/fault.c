#include "tests/harness/fault.h"

#include "tests/harness/test.h"

bool fault_was_hit(enum err e, const char *call)
{
    bool hit = mem_fail_hit();

    mem_fail_at(0);
    if (!hit && e)
        fail_msg("%s fails with no allocation failing: %s", call, err_story());
    return hit;
}
