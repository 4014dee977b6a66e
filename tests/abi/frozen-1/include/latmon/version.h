/* SPDX-License-Identifier: Apache-2.0
 *
 * The version of the plugin ABI and the visibility of its one exported symbol; nothing else.
 *
 * LATMON_ABI_VERSION changes only when a plugin that was built against the old headers could no
 * longer work; latmon then refuses it with one clear line. Everything else grows: structs by
 * appending behind their `struct_size`, abilities by extension (host.h, plugin.h). A plugin built
 * against version 1 loads in every latmon whose LATMON_ABI_VERSION is 1. */
#ifndef LATMON_VERSION_H
#define LATMON_VERSION_H

#define LATMON_ABI_VERSION 1u

/* Put before the definition of latmon_plugin_entry(), and before nothing else: a plugin exports one
 * symbol. Build the rest with -fvisibility=hidden. */
#define LATMON_EXPORT __attribute__((visibility("default")))

#ifdef __cplusplus
#define LATMON_EXTERN_C_BEGIN extern "C" {
#define LATMON_EXTERN_C_END }
#else
#define LATMON_EXTERN_C_BEGIN
#define LATMON_EXTERN_C_END
#endif

#endif /* LATMON_VERSION_H */
