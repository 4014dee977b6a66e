// SPDX-License-Identifier: Apache-2.0
//
// Reads [stats].
#include "config/read_stats.hpp"

namespace latmon {

StatsConfig read_stats(const TableReader& top) {
    StatsConfig stats;
    const TomlMember* member = top.find("stats");
    if (member == nullptr) return stats;
    const TomlTable* table = std::get_if<TomlTable>(&member->value.data);
    if (table == nullptr) {
        top.report_type(*member, "[stats], with one bracket, above its keys");
        return stats;
    }
    const TableReader reader(*table, stats_section, top.mistakes());
    reader.report_unknown_keys();
    reader.read("tainted", stats.leaves_out_tainted, tainted_words);
    return stats;
}

}  // namespace latmon
