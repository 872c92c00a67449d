/* What cppcheck is told of jansson's loops, which it cannot read in full. */
#ifndef LINT_CPPCHECK_H
#define LINT_CPPCHECK_H
#define json_array_foreach(list, i, item)   for ((i) = 0; ((item) = json_array_get(list, i)); (i)++)
#define json_object_foreach(map, key, item) while (((key) = json_next(map)) && ((item) = json_get(map, key)))
#endif
