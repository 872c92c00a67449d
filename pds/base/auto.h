/* A temporary that goes by itself: AUTO(x_freep) struct x *x = NULL; */
#ifndef BASE_AUTO_H
#define BASE_AUTO_H
#define AUTO(release) __attribute__((cleanup(release)))
#endif
