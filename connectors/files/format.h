/* THE table of file formats: recognise by looking inside, never by name; parse as a stream. */
#ifndef FILES_FORMAT_H
#define FILES_FORMAT_H
#include "connectors/files/reading.h"
#include "pds/base/err.h"
#include "pds/base/str.h"

#include <stdbool.h>

enum { FORMAT_HEAD_BYTES = 4096 }; /* what recognition looks at */

struct format {
    const char *name;                    /* "enedis.portal.csv" */
    const char *meaning;                 /* one line for lists of what can be read */
    bool (*recognises)(struct str head); /* the first FORMAT_HEAD_BYTES, or all of a shorter file */
    /* Read all of the input (it starts again at the first byte). Within a section the
     * readings of a dataset come in file order, or in order of time where the parser has to sort lines.
     * ERR_INVALID only when nothing of the file makes sense; single bad lines are told and skipped. */
    enum err (*parse)(const struct reading_input *in, const struct reading_options *options,
                      const struct reading_sink *sink);
};

extern const struct format FORMATS[]; /* closed by a row without a name */

/* Recognise and parse. *format_out is set as soon as the format is known. ERR_UNSUPPORTED, with a story that
 * says what was seen (text, binary, empty, which kinds are read), when no row recognises it. */
MUST_CHECK enum err format_read(const struct reading_input *in, const struct reading_options *options,
                                const struct reading_sink *sink, const struct format **format_out);
#endif
