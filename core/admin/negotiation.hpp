// SPDX-License-Identifier: Apache-2.0
//
// Which of the forms that an answer can have the client likes best: the header Accept of RFC 9110
// section 12.5.1. Pure; never fails, because a scraper that asks for nothing we have is served all
// the same, as Prometheus' own client libraries do.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace latmon {

// A form, such as {"application/openmetrics-text", "1.0.0"}.
struct MediaForm {
    std::string_view type;     // "type/subtype" in small letters.
    std::string_view version;  // The parameter of that name; "": it has none.
};

// Index of the form in `forms` that `accept` gives the highest q; of several, the first. A range
// with another version than a form's does not mean that form; its other parameters do not matter.
// The first of `forms` if there is no header (""), or nothing in it fits. [any-thread]
[[nodiscard]] std::size_t best_form(std::string_view accept, std::span<const MediaForm> forms);

}  // namespace latmon
