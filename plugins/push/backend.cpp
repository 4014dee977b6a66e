// SPDX-License-Identifier: Apache-2.0
//
// What most servers have in common: the default of every Backend. Pure.
#include "push/backend.hpp"

namespace latmon::plugins::push {

Verdict Backend::prepare(Client&, std::string&) {
    return Verdict::done;
}

std::optional<Verdict> Backend::settle(Client&, const Block&, std::string&) {
    return std::nullopt;
}

Verdict Backend::judge(const Response& response, std::string&) {
    return judge_status(response);
}

bool Backend::may_have_taken(const Response& response) const {
    return may_be_there(response);
}

std::optional<Request> Backend::farewell() {
    return std::nullopt;
}

Verdict judge_status(const Response& response) noexcept {
    const int status = response.status;
    if (status >= 200 && status < 300) return Verdict::done;
    switch (status) {
        case 0:
        case 408:
        case 425:
        case 429:
            return Verdict::retry;
        case 413:
            return Verdict::split;
        case 401:
        case 403:
        case 407:
            return Verdict::refused;
        case 501:
        case 505:
            return Verdict::drop;
        default:
            return status >= 500 && status < 600 ? Verdict::retry : Verdict::drop;
    }
}

bool may_be_there(const Response& response) noexcept {
    return response.status == 0 ? !response.is_unsent : response.status >= 500;
}

}  // namespace latmon::plugins::push
