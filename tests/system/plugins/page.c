/* SPDX-License-Identifier: Apache-2.0
 *
 * A plugin with a page on the admin listener: it answers with what it was asked, and hangs for as
 * long as a file is there, if it is told one. Takes no samples. */
#define _GNU_SOURCE
#include <latmon/latmon.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct page {
    const latmon_http_t* http;
    const char* hang_file;
};

static void answer(void* context, const latmon_http_request_t* request, latmon_http_answer_t* to) {
    const struct page* const page = context;
    const char* const key = page->http->query(request, "key");
    const char* const accept = page->http->header(request, "Accept");
    const struct timespec pause = {.tv_sec = 0, .tv_nsec = 10000000};
    char text[256];
    while (page->hang_file[0] != '\0' && access(page->hang_file, F_OK) == 0) {
        nanosleep(&pause, NULL);
    }
    (void)snprintf(text, sizeof(text), "key=%s accept=%s\n", key == NULL ? "" : key,
                   accept == NULL ? "" : accept);
    page->http->set_status(to, 203);
    page->http->add_header(to, "X-Page", "yes");
    page->http->add_header(to, "X-Evil", "a\r\nSet-Cookie: b");
    page->http->write(to, text, strlen(text));
}

static void* create(const latmon_host_t* host, const latmon_options_t* options) {
    struct page* const page = calloc(1, sizeof(*page));
    if (page == NULL) return NULL;
    page->http = host->extension(host, LATMON_HTTP_1);
    page->hang_file = host->option_string(options, "hang_file", "");
    if (!page->http->route(host, host->option_string(options, "page", "/page"), "A <test> page",
                           answer, page)) {
        free(page);
        return NULL;
    }
    return page;
}

static latmon_result_t export_batch(void* self, const latmon_sample_t* samples, uint32_t count) {
    (void)self;
    (void)samples;
    (void)count;
    return LATMON_RESULT_OK;
}

static void destroy(void* self) {
    free(self);
}

LATMON_EXPORT const latmon_plugin_t* latmon_plugin_entry(void) {
    static const latmon_plugin_t plugin = {
        .struct_size = sizeof(latmon_plugin_t),
        .abi_version = LATMON_ABI_VERSION,
        .name = "page",
        .version = "1",
        .create = create,
        .export_batch = export_batch,
        .flush = NULL,
        .destroy = destroy,
        .extension = NULL,
    };
    return &plugin;
}
