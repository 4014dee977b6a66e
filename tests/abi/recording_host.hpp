// SPDX-License-Identifier: Apache-2.0
//
// A host that keeps what is logged, for parts of plugins that want nothing else of it: every other
// function is NULL. One thread at a time.
#pragma once

#include <latmon/host.h>

#include <string>
#include <vector>

namespace latmon::test {

class RecordingHost {
public:
    [[nodiscard]] const latmon_host_t* table() noexcept { return &table_.functions; }
    [[nodiscard]] const std::vector<std::string>& lines() const noexcept { return lines_; }

private:
    struct Table {
        latmon_host_t functions{};
        RecordingHost* self = nullptr;
    };

    static void log(const latmon_host_t* host, latmon_log_level_t, const char* text) {
        reinterpret_cast<const Table*>(host)->self->lines_.emplace_back(text);
    }

    std::vector<std::string> lines_;
    Table table_{.functions = {.struct_size = sizeof(latmon_host_t),
                               .abi_version = LATMON_ABI_VERSION,
                               .version = "test",
                               .log = log,
                               .log_enabled = nullptr,
                               .series = nullptr,
                               .series_count = nullptr,
                               .option_string = nullptr,
                               .option_bool = nullptr,
                               .option_int = nullptr,
                               .option_float = nullptr,
                               .option_list_item = nullptr,
                               .extension = nullptr},
                 .self = this};
};

}  // namespace latmon::test
