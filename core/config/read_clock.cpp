// SPDX-License-Identifier: Apache-2.0
//
// Reads [clock]. Nobody is asked anything here: whether chronyd answers is found out at run time.
#include "config/read_clock.hpp"

#include "base/host_port.hpp"
#include "config/read_common.hpp"

#include <fmt/format.h>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>

namespace latmon {
namespace {

bool is_server(std::string_view text) {
    const std::optional<Endpoint> endpoint = parse_endpoint(text);
    return endpoint && endpoint->port != 0 && !is_multicast(endpoint->address);
}

void read_chrony(const TableReader& reader, ClockConfig& clock) {
    std::string chrony;
    if (!reader.read("chrony", chrony)) return;
    if (chrony.empty() || chrony.starts_with('/') || is_server(chrony)) {
        clock.chrony = chrony;
        return;
    }
    reader.mistakes().error(
        reader.find("chrony")->value.where,
        fmt::format("\"chrony\" is {}; write where chronyd takes commands: ADDRESS:PORT such as "
                    "\"127.0.0.1:323\" or \"[::1]:323\", the path of its socket, or \"\" not to "
                    "ask it",
                    in_quotes(chrony)));
}

void check_together(const TableReader& reader, const ClockConfig& clock) {
    const bool has_bound = clock.error_bound != Duration{};
    if (clock.trust == ClockTrust::operator_ && !has_bound) {
        reader.mistakes().error(place_of(reader, "trust"),
                                "\"trust\" is \"operator\", but no \"error_bound\" says what the "
                                "operator vouches for; add error_bound = MICROSECONDS");
    }
    if (clock.trust == ClockTrust::chrony && clock.chrony.empty()) {
        reader.mistakes().error(place_of(reader, "chrony"),
                                "\"trust\" is \"chrony\", which \"\" switches off; write chrony = "
                                "\"127.0.0.1:323\"");
    }
    const bool is_bound_used =
        clock.trust == ClockTrust::operator_ || clock.trust == ClockTrust::automatic;
    if (has_bound && !is_bound_used) {
        reader.mistakes().warn(
            place_of(reader, "error_bound"),
            fmt::format("\"error_bound\" has no effect with trust = {}; write trust = "
                        "\"operator\" or \"auto\", or remove it",
                        in_quotes(text_of(clock_trust_words, clock.trust))));
    }
}

}  // namespace

ClockConfig read_clock(const TableReader& top) {
    ClockConfig clock;
    const TomlMember* member = top.find("clock");
    if (member == nullptr) return clock;
    const TomlTable* table = std::get_if<TomlTable>(&member->value.data);
    if (table == nullptr) {
        top.report_type(*member, "[clock], with one bracket, above its keys");
        return clock;
    }
    const TableReader reader(*table, clock_section, top.mistakes());
    reader.report_unknown_keys();
    reader.read("trust", clock.trust, clock_trust_words);
    reader.read("error_bound", clock.error_bound, error_bound_range);
    read_chrony(reader, clock);
    double drift_ppm = 0;
    if (reader.read("drift_ppm", drift_ppm, drift_range)) {
        clock.drift_ppb = std::llround(drift_ppm * 1e3);
    }
    reader.read("series", clock.has_series);
    check_together(reader, clock);
    return clock;
}

}  // namespace latmon
