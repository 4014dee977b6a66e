// SPDX-License-Identifier: Apache-2.0
//
// What each answer of a server means, unless an exporter knows better.
#include "push/backend.hpp"

#include <doctest/doctest.h>

namespace latmon::plugins::push {
namespace {

Verdict verdict_of(int status) {
    Response response;
    response.status = status;
    return judge_status(response);
}

TEST_CASE("backend: every status has its class") {
    for (int status = 100; status < 600; ++status) {
        CAPTURE(status);
        Verdict expected = Verdict::drop;
        if (status / 100 == 2) expected = Verdict::done;
        if (status / 100 == 5 && status != 501 && status != 505) expected = Verdict::retry;
        for (const int again : {408, 425, 429}) {
            if (status == again) expected = Verdict::retry;
        }
        for (const int refused : {401, 403, 407}) {
            if (status == refused) expected = Verdict::refused;
        }
        if (status == 413) expected = Verdict::split;
        CHECK(verdict_of(status) == expected);
    }
}

TEST_CASE("backend: no answer means again, and a number that is no status means never") {
    CHECK(verdict_of(0) == Verdict::retry);
    CHECK(verdict_of(600) == Verdict::drop);
    CHECK(verdict_of(-1) == Verdict::drop);
}

TEST_CASE("backend: only what was sent and not answered, or a 5xx, may have been carried out") {
    Response response;
    CHECK(may_be_there(response));
    response.is_unsent = true;
    CHECK_FALSE(may_be_there(response));
    for (const int status : {200, 400, 408, 413, 429, 499}) {
        response.status = status;
        CHECK_FALSE(may_be_there(response));
    }
    for (const int status : {500, 502, 503, 504}) {
        response.status = status;
        CHECK(may_be_there(response));
    }
}

}  // namespace
}  // namespace latmon::plugins::push
