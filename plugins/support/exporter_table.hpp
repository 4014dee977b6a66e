// SPDX-License-Identifier: Apache-2.0
//
// The table of functions that a plugin gives latmon, made of a class: each entry finds the exporter
// behind the ABI's pointer, and keeps C++ exceptions on this side. How an exporter is made stays
// with the plugin. Each function runs on the thread that include/latmon says.
//
//   class Exporter {
//       take(std::span<const latmon_sample_t>)   export_batch()
//       flush()                                  optional
//       reopen()                                 optional: latmon.reopen/1
//       finish()                                 optional: before it is destroyed
//       take_windows(std::span<const latmon_window_t* const>)     optional: latmon.windows/1, with
//       static const WindowWish windows_wanted                    what it gets unasked
//       series_added(std::span<const std::uint32_t>)              optional, one or both:
//       series_removed(std::span<const std::uint32_t>)            latmon.series/1
//   };
//
// Each of them but the last two returns latmon_result_t, or nothing, which is LATMON_RESULT_OK.
#pragma once

#include "support/guard.hpp"

#include <latmon/latmon.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace latmon::plugins {

// What an exporter of samples gets unasked: all but reflections, which come as fast as others send.
inline constexpr std::uint32_t usual_kinds =
    (1U << LATMON_KIND_EXCHANGE) | (1U << LATMON_KIND_CONNECT) | (1U << LATMON_KIND_NODE) |
    (1U << LATMON_KIND_COUNTER) | (1U << LATMON_KIND_GAUGE) | (1U << LATMON_KIND_TIMING);

// See latmon_windows_t: default_lengths and default_kinds.
struct WindowWish {
    std::uint32_t lengths = 0;
    std::uint32_t kinds = 0;
};

template <typename Exporter>
struct ExporterCalls {
    static constexpr bool takes_windows = requires { Exporter::windows_wanted; };
    static constexpr bool reopens = requires(Exporter & exporter) { exporter.reopen(); };
    static constexpr bool hears_added =
        requires(Exporter & exporter, std::span<const std::uint32_t> ids) {
        exporter.series_added(ids);
    };
    static constexpr bool hears_removed =
        requires(Exporter & exporter, std::span<const std::uint32_t> ids) {
        exporter.series_removed(ids);
    };
    static constexpr bool has_extensions = takes_windows || reopens || hears_added || hears_removed;

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

    static latmon_result_t export_windows(void* exporter, const latmon_window_t* const* windows,
                                          uint32_t count) {
        return guarded([&] {
            return self(exporter).take_windows(
                std::span<const latmon_window_t* const>(windows, count));
        });
    }

    static void added(void* exporter, const uint32_t* ids, uint32_t count) {
        if constexpr (hears_added) {
            static_cast<void>(guarded([&] { self(exporter).series_added({ids, count}); }));
        }
    }

    static void removed(void* exporter, const uint32_t* ids, uint32_t count) {
        if constexpr (hears_removed) {
            static_cast<void>(guarded([&] { self(exporter).series_removed({ids, count}); }));
        }
    }

    static void destroy(void* exporter) {
        const std::unique_ptr<Exporter> owned(&self(exporter));
        if constexpr (requires { owned->finish(); }) {
            static_cast<void>(guarded([&] { return owned->finish(); }));
        }
    }

    static const void* extension(const char* id) {
        const std::string_view wanted(id);
        if constexpr (reopens) {
            static constexpr latmon_reopen_t ability = {.reopen = reopen};
            if (wanted == LATMON_REOPEN_1) return &ability;
        }
        if constexpr (takes_windows) {
            static const latmon_windows_t ability = {
                .default_lengths = Exporter::windows_wanted.lengths,
                .default_kinds = Exporter::windows_wanted.kinds,
                .export_windows = export_windows};
            if (wanted == LATMON_WINDOWS_1) return &ability;
        }
        if constexpr (hears_added || hears_removed) {
            static constexpr latmon_series_events_t ability = {.added = added, .removed = removed};
            if (wanted == LATMON_SERIES_1) return &ability;
        }
        return nullptr;
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
    if constexpr (Calls::has_extensions) table.extension = Calls::extension;
    return table;
}

}  // namespace latmon::plugins
