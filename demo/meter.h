/* The meter of a persona's home: half-hours, energy by register, and what the operator's files lack.
 *
 * The half-hours of a day, missing ones included, add up to the day's registers to the watt-hour. */
#ifndef DEMO_METER_H
#define DEMO_METER_H
#include "demo/persona.h"
#include "demo/tempo.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { METER_HALVES_MAX = 50, METER_REGISTERS_MAX = 6 };

/* How a half-hour stands in the curve. */
enum meter_trace {
    METER_WRITTEN,
    METER_EMPTY, /* its row is there without a value */
    METER_ABSENT /* it has no row */
};

struct meter_day {
    int64_t start_at;            /* local midnight, seconds UTC */
    size_t half_count;           /* 46, 48 or 50 */
    int watts[METER_HALVES_MAX]; /* mean power, even */
    enum meter_trace traces[METER_HALVES_MAX];
    int64_t register_wh[METER_REGISTERS_MAX];
    int64_t total_wh;
};

struct meter {
    const struct persona *persona; /* borrowed */
    uint64_t seed;
    struct tempo_season seasons[2]; /* of a day and of the day before it */
};

void meter_init(struct meter *m, const struct persona *persona, uint64_t seed);

/* day: days since 1970. It depends on the meter and the date alone, not on days read before. */
void meter_read(struct meter *m, int64_t day, struct meter_day *out);

/* Registers of the persona's tariff, in the order of register_wh. */
struct meter_register {
    const char *code, *label;
};
size_t meter_registers(const struct meter *m, const struct meter_register **out);
#endif
