// SPDX-License-Identifier: Apache-2.0
//
// See read_prefixes.hpp.
#include "config/read_prefixes.hpp"

#include <fmt/format.h>
#include <optional>

namespace latmon {

void read_prefixes(const TableReader& reader, std::string_view key, std::vector<Prefix>& prefixes,
                   bool* any) {
    const std::optional<std::vector<ListItem>> items = reader.read_list(key);
    if (!items) return;
    prefixes.clear();
    for (const ListItem& item : *items) {
        if (any != nullptr && item.text == "any") {
            *any = true;
            if (items->size() == 1) return;
            reader.mistakes().error(item.where,
                                    "\"any\" stands for all addresses; write it alone, "
                                    "or only the prefixes");
        } else if (const std::optional<Prefix> prefix = parse_prefix(item.text)) {
            prefixes.push_back(*prefix);
        } else {
            reader.mistakes().error(item.where,
                                    fmt::format("{} is no prefix; write one such as "
                                                "\"10.0.0.0/8\", with all bits "
                                                "behind the length zero, or one address",
                                                in_quotes(item.text)));
        }
    }
}

}  // namespace latmon
