// SPDX-License-Identifier: Apache-2.0
//
// What a client of the admin listener says, beyond what Boost.Beast takes apart: target, query and
// headers. The input is lines: the target of a request, then one header each. Whatever they hold,
// what comes out keeps the promises of the headers, and no answer has what a client could have put
// in as more than text.
#include "admin/backend.hpp"
#include "admin/credentials.hpp"
#include "admin/exposition.hpp"
#include "admin/http_message.hpp"
#include "admin/landing_page.hpp"
#include "admin/probe_page.hpp"
#include "base/assert.hpp"
#include "base/limits.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace {

using namespace latmon;

std::string_view take_line(std::string_view& text) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return line;
}

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char letter) {
        return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f;
    });
}

void check_target(const RequestTarget& target) {
    LATMON_ASSERT(target.path.starts_with('/') && !has_control(target.path));
    LATMON_ASSERT(target.path.size() <= limits::admin_path_bytes);
    LATMON_ASSERT(target.query.size() <= limits::admin_query_items_max);
    for (const auto& [key, value] : target.query)
        LATMON_ASSERT(!has_control(key) && !has_control(value));
}

void check_probe(const HttpRequest& request) {
    const auto order = parse_probe_order(request);
    if (!order) {
        LATMON_ASSERT(order.error().status == 400);
        return;
    }
    LATMON_ASSERT(order->budget > Duration{} && order->budget < Duration{limits::admin_probe_ns});
    LATMON_ASSERT(!order->count ||
                  (*order->count >= 1 && *order->count <= limits::admin_probe_count_max));
    const HttpAnswer answer = probe_page(request, *order, ProbeOutcome{});
    LATMON_ASSERT(answer.status == 200);
    for (const auto& [name, value] : answer.headers)
        LATMON_ASSERT(is_header_name(name) && is_header_value(value));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(data), size);
    static const Credentials credentials = [] {
        Credentials made;
        made.set_bearer("a token that nobody guesses");
        made.set_basic("user", "a password that nobody guesses");
        return made;
    }();
    HttpRequest request;
    std::optional<RequestTarget> target = parse_target(take_line(text));
    if (target) {
        check_target(*target);
        request.path = std::move(target->path);
        request.query = std::move(target->query);
    }
    while (!text.empty()) {
        std::string_view line = take_line(text);
        const std::size_t colon = std::min(line.find(':'), line.size());
        const std::string_view value = line.substr(std::min(colon + 1, line.size()));
        add_header(request.headers, small_letters(line.substr(0, colon)), value);
        static_cast<void>(choose_form(value));
        LATMON_ASSERT(!credentials.accepts(value));
    }
    check_probe(request);
    const std::string page = landing_page("", request.path, {{request.path, request.path}});
    // As many marks as the page without names has.
    static const std::string bare = landing_page("", "", {{"", ""}});
    LATMON_ASSERT(std::count(page.begin(), page.end(), '<') ==
                  std::count(bare.begin(), bare.end(), '<'));
    return 0;
}
