/* CSV files of the Enedis customer portal and of its history order: load curves, daily indexes and daily
 * maxima, one or more sections a file, each with three header lines or none at all (docs/formats.md). */
#ifndef FILES_ENEDIS_CSV_H
#define FILES_ENEDIS_CSV_H
#include "connectors/files/reading.h"
#include "pds/base/err.h"
#include "pds/base/str.h"

#include <stdbool.h>

/* Whether a file that begins like this is one (a row of FORMATS). */
bool enedis_csv_recognises(struct str head);

/* Read all of it (a row of FORMATS). */
MUST_CHECK enum err enedis_csv_parse(const struct reading_input *in, const struct reading_options *options,
                                     const struct reading_sink *sink);
#endif
