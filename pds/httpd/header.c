#include "pds/httpd/header.h"

#include <string.h>

const struct header *headers_find(const struct headers *h, struct str name)
{
    for (size_t i = 0; i < h->count; i++)
        if (h->at[i].name.len == name.len && str_eq_nocase(h->at[i].name, name))
            return &h->at[i];
    return NULL;
}

const struct header *headers_find_last(const struct headers *h, struct str name)
{
    for (size_t i = h->count; i-- > 0;)
        if (h->at[i].name.len == name.len && str_eq_nocase(h->at[i].name, name))
            return &h->at[i];
    return NULL;
}

size_t headers_count(const struct headers *h, struct str name)
{
    size_t found = 0;

    for (size_t i = 0; i < h->count; i++)
        if (h->at[i].name.len == name.len && str_eq_nocase(h->at[i].name, name))
            found++;
    return found;
}

static bool is_token_char(unsigned char c)
{
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return true;
    return c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

bool header_name_is_token(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!is_token_char((unsigned char)name.ptr[i]))
            return false;
    return name.len > 0;
}

bool header_value_is_clean(struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

bool header_has_token(struct str list, struct str token)
{
    struct str item;

    while (str_split(&list, ',', &item)) {
        struct str word;
        if (str_split(&item, ';', &word) && str_eq_nocase(str_trim(word), token))
            return true;
    }
    return false;
}
