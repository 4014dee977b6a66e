// SPDX-License-Identifier: Apache-2.0
//
// One answer to a scraper: the format that it asked for, packed if it can unpack, handed on in
// parts, so that what is there as a whole is one family at most. [admin-thread]
#pragma once

#include "prometheus/families.hpp"
#include "prometheus/negotiate.hpp"
#include "prometheus/store.hpp"
#include "prometheus/writer.hpp"

namespace latmon::plugins::prometheus {

struct Scrape {
    Choice choice{};
    bool is_packed = false;  // As gzip.
};

// False if memory is out: what was handed on is then no whole answer.
[[nodiscard]] bool write_scrape(const Scrape& scrape, const Store::Snapshot& snapshot,
                                const Content& content, const Format& format, Sink& sink);

}  // namespace latmon::plugins::prometheus
