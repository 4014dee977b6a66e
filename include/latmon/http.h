/* SPDX-License-Identifier: Apache-2.0
 *
 * Extension "latmon.http/1" of the host: pages of an exporter's own on latmon's admin listener,
 * such as /metrics. A plugin opens no port of its own, and gets TLS, passwords and limits for
 * nothing. Asked for with
 *
 *   const latmon_http_t* http = host->extension(host, LATMON_HTTP_1);
 *
 * which is NULL in a latmon that does not have it. route() fails if the operator has switched the
 * listener off. */
#ifndef LATMON_HTTP_H
#define LATMON_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host.h"

LATMON_EXTERN_C_BEGIN

#define LATMON_HTTP_1 "latmon.http/1"

/* Both are latmon's, and valid until the handler returns. */
typedef struct latmon_http_request latmon_http_request_t;
typedef struct latmon_http_answer latmon_http_answer_t;

/* Answers one request: status 200, no headers and no body if it says nothing. Several may run at
 * once, and beside export_batch(): guard what they share. Must not wait for anything slow.
 * [admin-thread & active] */
typedef void (*latmon_http_handler_t)(void* context, const latmon_http_request_t* request,
                                      latmon_http_answer_t* answer);

typedef struct latmon_http {
    /* Sends GET and HEAD requests for `path` to `handler`. `title` stands beside it on the landing
     * page; NULL: it is not shown there. Copies both. False, with a line in the log, if the path
     * does not begin with '/', is latmon's own or another exporter's, or if there is no listener.
     * Before destroy() is called, the route is gone and no handler runs any more.
     * [main-thread & in create()] */
    bool (*route)(const latmon_host_t* host, const char* path, const char* title,
                  latmon_http_handler_t handler, void* context);

    /* The value of a header, whatever its case, or NULL. [admin-thread & in a handler] */
    const char* (*header)(const latmon_http_request_t* request, const char* name);

    /* The first value of a key of the query, percent-decoded, or NULL.
     * [admin-thread & in a handler] */
    const char* (*query)(const latmon_http_request_t* request, const char* key);

    /* The status, 200 to 599. [admin-thread & in a handler] */
    void (*set_status)(latmon_http_answer_t* answer, int status);

    /* Adds a header; latmon adds Content-Length, Date and Connection itself.
     * [admin-thread & in a handler] */
    void (*add_header)(latmon_http_answer_t* answer, const char* name, const char* value);

    /* Appends to the body. [admin-thread & in a handler] */
    void (*write)(latmon_http_answer_t* answer, const void* data, size_t size_bytes);
} latmon_http_t;

LATMON_EXTERN_C_END

#endif /* LATMON_HTTP_H */
