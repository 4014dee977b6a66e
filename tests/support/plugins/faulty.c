/* SPDX-License-Identifier: Apache-2.0
 *
 * Every way in which a plugin can be wrong before its create() is called, one for each macro that
 * the build defines. But for that one thing each of them is sound, so that nothing else can be
 * refused. */
#include <latmon/latmon.h>

#include <stddef.h>

#if defined(PLUGIN_wrong_version)
#define NAME "wrong_version"
#elif defined(PLUGIN_wrong_size)
#define NAME "wrong_size"
#elif defined(PLUGIN_wrong_name)
#define NAME "someone_else"
#elif defined(PLUGIN_no_create)
#define NAME "no_create"
#elif defined(PLUGIN_no_batch)
#define NAME "no_batch"
#elif defined(PLUGIN_no_destroy)
#define NAME "no_destroy"
#else
#define NAME "no_name_needed"
#endif

#ifdef PLUGIN_wrong_version
#define VERSION 999u
#else
#define VERSION LATMON_ABI_VERSION
#endif

/* One octet short of the table of ABI 1. */
#ifdef PLUGIN_wrong_size
#define SIZE (uint32_t)(offsetof(latmon_plugin_t, extension) + sizeof(void*) - 1)
#else
#define SIZE (uint32_t)sizeof(latmon_plugin_t)
#endif

#ifdef PLUGIN_undefined_symbol
extern int nobody_defines_this(void);
#endif

static char nothing;

static void* create(const latmon_host_t* host, const latmon_options_t* options) {
    (void)host;
    (void)options;
#ifdef PLUGIN_undefined_symbol
    if (nobody_defines_this() != 0) return NULL;
#endif
    return &nothing;
}

static latmon_result_t export_batch(void* exporter, const latmon_sample_t* samples,
                                    uint32_t count) {
    (void)exporter;
    (void)samples;
    (void)count;
    return LATMON_RESULT_OK;
}

static void destroy(void* exporter) {
    (void)exporter;
}

static const latmon_plugin_t plugin = {
    .struct_size = SIZE,
    .abi_version = VERSION,
    .name = NAME,
    .version = "1",
#ifndef PLUGIN_no_create
    .create = create,
#endif
#ifndef PLUGIN_no_batch
    .export_batch = export_batch,
#endif
#ifndef PLUGIN_no_destroy
    .destroy = destroy,
#endif
};

#ifdef PLUGIN_no_entry
#define ENTRY some_other_entry
LATMON_EXPORT const latmon_plugin_t* some_other_entry(void);
#else
#define ENTRY latmon_plugin_entry
#endif

LATMON_EXPORT const latmon_plugin_t* ENTRY(void) {
#if defined(PLUGIN_no_create) || defined(PLUGIN_no_batch) || defined(PLUGIN_no_destroy)
    (void)create;
    (void)export_batch;
    (void)destroy;
#endif
#ifdef PLUGIN_no_table
    (void)plugin;
    return NULL;
#else
    return &plugin;
#endif
}
