// SPDX-License-Identifier: Apache-2.0
//
// See intake.hpp. The API: "Submit metrics", v2 and v1, and "Submit distribution points", v1, in
// Datadog's API reference.
#include "datadog/intake.hpp"

#include <ctime>
#include <utility>

namespace latmon::plugins::datadog {
namespace {

const char* path_of(Api api) noexcept {
    switch (api) {
        case Api::series_v1:
            return "/api/v1/series";
        case Api::series_v2:
            return "/api/v2/series";
        case Api::distribution:
            break;
    }
    return "/api/v1/distribution_points";
}

}  // namespace

Intake::Intake(IntakeOptions options, std::shared_ptr<Counter> untimely, NowS now_s)
    : options_(std::move(options)), untimely_(std::move(untimely)), now_s_(now_s) {}

std::int64_t Intake::wall_clock_s() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

push::Request Intake::build(const push::Block& block) {
    Body body =
        make_body(block.records, {.api = options_.api, .host = options_.host, .now_s = now_s_()});
    push::Request request;
    if (body.text.empty()) {  // Nobody will judge it.
        untimely_->add(body.untimely);
        return request;
    }
    untimely_in_block_ = body.untimely;
    request.url = options_.url + path_of(options_.api);
    request.headers = {"Content-Type: application/json", "DD-API-KEY: " + options_.api_key};
    request.body = std::move(body.text);
    // Of points of distributions the API knows no compression but "deflate".
    request.may_compress = options_.api != Api::distribution;
    return request;
}

push::Verdict Intake::judge(const push::Response& response, std::string& reason) {
    const push::Verdict verdict = push::judge_status(response);
    if (verdict == push::Verdict::refused) {
        reason = std::to_string(response.status) + ": " + options_.url +
                 " does not know the API key; check api_key, and that it is of this site";
    }
    if (verdict == push::Verdict::done || verdict == push::Verdict::drop) {
        untimely_->add(std::exchange(untimely_in_block_, 0));
    }
    return verdict;
}

}  // namespace latmon::plugins::datadog
