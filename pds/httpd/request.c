#include "pds/httpd/request.h"

#include "pds/base/limits.h"
#include "pds/httpd/header.h"
#include "pds/httpd/target.h"

#include <string.h>

struct str request_header(const struct request *r, const char *name)
{
    const struct headers *all = r->transport;
    const struct header *h = all ? headers_find(all, str_of(name)) : NULL;

    return h ? h->value : (struct str){0};
}

/* The next "name=value" of a raw query; empty pairs are passed over. */
static bool next_pair(struct str *query, struct str *name, struct str *value)
{
    struct str pair = {0};

    while (str_split(query, '&', &pair)) {
        if (pair.len == 0)
            continue;
        *value = pair;
        (void)str_split(value, '=', name); /* pair has a first byte, so there is a part */
        if (!value->ptr)
            *value = (struct str){"", 0};
        return true;
    }
    return false;
}

static struct str raw_query(const struct request *r)
{
    const struct headers *all = r->transport;

    return all ? all->query : (struct str){0};
}

enum err request_query(const struct request *r, const char *name, struct str *out)
{
    struct str query = raw_query(r), key = {0}, value = {0}, found = {0};
    enum err e;

    while (next_pair(&query, &key, &value)) {
        if ((e = target_decode(key, 1, r->arena, &key)))
            return err_wrap(e, "the query");
        if (!str_eq(key, str_of(name)))
            continue;
        if (found.ptr)
            return err_set(ERR_INVALID, "query parameter %s comes twice", name);
        if ((e = target_decode(value, 1, r->arena, &found)))
            return err_wrap(e, "query parameter %s", name);
    }
    *out = found;
    return ERR_OK;
}

enum err request_query_only(const struct request *r, const char *const names[])
{
    struct str query = raw_query(r), key = {0}, value = {0};
    enum err e;

    for (size_t position = 1; next_pair(&query, &key, &value); position++) {
        size_t i = 0;
        if ((e = target_decode(key, 1, r->arena, &key)))
            return err_wrap(e, "the query");
        while (names[i] && !str_eq(key, str_of(names[i])))
            i++;
        if (!names[i])
            return err_set(ERR_INVALID, "query parameter %zu is not known here", position);
    }
    return ERR_OK;
}

struct str request_cookie(const struct request *r, const char *name)
{
    const struct headers *all = r->transport;
    struct str found = {0}, wanted = str_of(name);

    for (size_t i = 0; all && i < all->count; i++) {
        struct str rest = all->at[i].value, pair;
        if (!str_eq_nocase(all->at[i].name, STR("Cookie")))
            continue;
        while (str_split(&rest, ';', &pair)) {
            struct str value = str_trim(pair), key = {0};
            if (!str_split(&value, '=', &key) || !str_eq(key, wanted) || !value.ptr)
                continue;
            if (found.ptr)
                return (struct str){0}; /* which of the two is ours cannot be told */
            found = value;
        }
    }
    return found;
}

/* "application/json", whatever parameters follow. */
static bool is_json(struct str type)
{
    struct str media = {0};

    return str_split(&type, ';', &media) && str_eq_nocase(str_trim(media), STR("application/json"));
}

enum err request_json(const struct request *r, json_t **out)
{
    if (!is_json(request_header(r, "Content-Type")))
        return err_set(ERR_UNSUPPORTED, "a body that is not application/json");
    return json_read(r->body, LIMIT_JSON_BODY_BYTES, out);
}

/* A weight as thousandths: "0.8" is 800 (RFC 9110 12.4.2). What cannot be read weighs nothing. */
static int weight_of(struct str parameters)
{
    struct str p = str_trim(parameters);
    int weight = 0, unit = 1000;

    if (p.len == 0)
        return 1000;
    if (!str_starts_nocase(p, STR("q=")))
        return 0;
    for (size_t i = 2; i < p.len && unit > 0; i++) {
        if (p.ptr[i] == '.')
            continue;
        if (p.ptr[i] < '0' || p.ptr[i] > '9')
            return 0;
        weight += (p.ptr[i] - '0') * unit;
        unit /= 10;
    }
    return weight > 1000 ? 1000 : weight;
}

static bool names_language(struct str range, struct str language)
{
    return str_starts_nocase(range, language) &&
           (range.len == language.len || range.ptr[language.len] == '-');
}

const char *request_language(const struct request *r)
{
    struct str list = request_header(r, "Accept-Language"), item = {0};
    int french = 0, english = 0;

    while (str_split(&list, ',', &item)) {
        struct str range = {0};
        if (!str_split(&item, ';', &range))
            continue;
        int weight = weight_of(item);
        range = str_trim(range);
        if (names_language(range, STR("fr")) && weight > french)
            french = weight;
        if (names_language(range, STR("en")) && weight > english)
            english = weight;
    }
    return english > french ? "en" : "fr";
}
