/* Content-Disposition of a part: its field and its file name (RFC 7578 4.2, RFC 5987 for "filename*"). */
#ifndef HTTPD_DISPOSITION_H
#define HTTPD_DISPOSITION_H
#include "pds/base/arena.h"
#include "pds/base/err.h"
#include "pds/base/str.h"

/* Both arena-owned; *file_name is {NULL, 0} for a plain field, and without folders otherwise. ERR_INVALID for
 * what is not form-data with a name, or a name with control characters, bad UTF-8 or more than
 * LIMIT_FILE_NAME_BYTES. */
MUST_CHECK enum err disposition_parse(struct str value, struct arena *arena, struct str *name,
                                      struct str *file_name);

/* The value of a parameter as in `; boundary="a b"`, unquoted into the arena; {NULL, 0} when absent.
 * ERR_INVALID for a broken quotation or the parameter twice. */
MUST_CHECK enum err parameter_find(struct str parameters, struct str name, struct arena *arena,
                                   struct str *out);
#endif
