// SPDX-License-Identifier: Apache-2.0
//
// The table of functions that a plugin gives latmon, made of a class: each entry finds the exporter
// behind the ABI's pointer, and keeps C++ exceptions on this side. How an exporter is made stays
// with the plugin. Each function runs on the thread that include/latmon/plugin.h says.
//
//   class Exporter {
//       take(std::span<const latmon_sample_t>)   export_batch()
//       flush()                                  optional
//       reopen()                                 optional: latmon.reopen/1
//       finish()                                 optional: before it is destroyed
//   };
//
// Each of them returns latmon_result_t, or nothing, which is LATMON_RESULT_OK.
#pragma once

#include "support/guard.hpp"

#include <latmon/latmon.h>

#include <memory>
#include <span>
#include <string_view>

namespace latmon::plugins {

template <typename Exporter>
struct ExporterCalls {
    static latmon_result_t export_batch(void* exporter, const latmon_sample_t* samples,
                                        uint32_t count) {
        return guarded([&] { return self(exporter).take({samples, count}); });
    }

    static latmon_result_t flush(void* exporter) {
        return guarded([&] { return self(exporter).flush(); });
    }

    static latmon_result_t reopen(void* exporter) {
        return guarded([&] { return self(exporter).reopen(); });
    }

    static void destroy(void* exporter) {
        const std::unique_ptr<Exporter> owned(&self(exporter));
        if constexpr (requires { owned->finish(); }) {
            static_cast<void>(guarded([&] { return owned->finish(); }));
        }
    }

    static const void* extension(const char* id) {
        static constexpr latmon_reopen_t ability = {.reopen = reopen};
        return std::string_view(id) == LATMON_REOPEN_1 ? &ability : nullptr;
    }

private:
    static Exporter& self(void* exporter) noexcept { return *static_cast<Exporter*>(exporter); }
};

// `create` returns an `Exporter*` as void*, or NULL; `name` and `version` are static. [any-thread]
template <typename Exporter>
constexpr latmon_plugin_t exporter_table(const char* name, decltype(latmon_plugin_t::create) create,
                                         const char* version = "1") noexcept {
    using Calls = ExporterCalls<Exporter>;
    latmon_plugin_t table{.struct_size = sizeof(latmon_plugin_t),
                          .abi_version = LATMON_ABI_VERSION,
                          .name = name,
                          .version = version,
                          .create = create,
                          .export_batch = Calls::export_batch,
                          .flush = nullptr,
                          .destroy = Calls::destroy,
                          .extension = nullptr};
    if constexpr (requires(Exporter & exporter) { exporter.flush(); }) table.flush = Calls::flush;
    if constexpr (requires(Exporter & exporter) { exporter.reopen(); }) {
        table.extension = Calls::extension;
    }
    return table;
}

}  // namespace latmon::plugins
