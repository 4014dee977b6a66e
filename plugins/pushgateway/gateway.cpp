// SPDX-License-Identifier: Apache-2.0
//
// See gateway.hpp. An answer's meaning is judge_status(): 200 or 202 is success, and a 400 says in
// its body what is wrong with the push, which never gets better.
#include "pushgateway/gateway.hpp"

#include "pushgateway/labels.hpp"
#include "pushgateway/legacy_rows.hpp"
#include "support/monotonic.hpp"

namespace latmon::plugins::pushgateway {

push::Request Gateway::request(const char* method) const {
    push::Request made;
    made.method = method;
    made.url = group_.url + "/metrics" + path_segment("job", group_.job) +
               path_segment("instance", group_.instance) + group_.path;
    if (!group_.authorization.empty()) made.headers.push_back(group_.authorization);
    return made;
}

push::Request Gateway::build(const push::Block& block) {
    if (block.records.empty()) return {};
    push::Request made = request("PUT");
    made.headers.emplace_back("Content-Type: text/plain; version=0.0.4; charset=utf-8");
    // Of whole states the last one says it all.
    made.body = turn_ ? legacy_body(block.records, group_.job, group_.instance)
                      : block.records.back().payload;
    return made;
}

push::Verdict Gateway::judge(const push::Response& response, std::string& reason) {
    const push::Verdict verdict = push::Backend::judge(response, reason);
    const bool comes_again = verdict == push::Verdict::retry || verdict == push::Verdict::refused;
    if (turn_ && !comes_again) turn_->end(monotonic_ns());
    return verdict;
}

std::optional<push::Request> Gateway::farewell() {
    if (!does_delete_) return std::nullopt;
    return request("DELETE");
}

}  // namespace latmon::plugins::pushgateway
