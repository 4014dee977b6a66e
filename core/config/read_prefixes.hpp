// SPDX-License-Identifier: Apache-2.0
//
// Lists of address prefixes, wherever an operator says whom something is for; the tables that have
// such lists are read elsewhere. [main-thread]
#pragma once

#include "base/address.hpp"
#include "config/table_reader.hpp"

#include <string_view>
#include <vector>

namespace latmon {

// Replaces `prefixes` by those of the list at `key`, if it is there; what is none is reported and
// left out. `any`, if it is not null, is set when the list is ["any"].
void read_prefixes(const TableReader& reader, std::string_view key, std::vector<Prefix>& prefixes,
                   bool* any);

}  // namespace latmon
