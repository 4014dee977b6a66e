// SPDX-License-Identifier: Apache-2.0
//
// Requests to Datadog, and what its answers mean.
#include "datadog/intake.hpp"

#include "exporter/host.hpp"

#include <doctest/doctest.h>

namespace latmon::plugins::datadog {
namespace {

const SeriesTable no_series;
const Host host("", no_series);

std::int64_t now_s() {
    return 1'768'219'200;
}

struct Fixture {
    std::shared_ptr<Counter> untimely = std::make_shared<Counter>(host.table(), "untimely_total");
    Intake intake;

    explicit Fixture(Api api = Api::series_v2)
        : intake({.url = "https://api.datadoghq.eu", .api_key = "secret", .host = "", .api = api},
                 untimely, &now_s) {}

    push::Request build(const std::string& rows) {
        const push::Record records[] = {{.rows = 1, .payload = rows}};
        return intake.build({.records = records, .rows = 1, .id = ""});
    }
    push::Verdict judge(int status, std::string* reason = nullptr) {
        push::Response response;
        response.status = status;
        std::string said;
        const push::Verdict verdict = intake.judge(response, said);
        if (reason != nullptr) *reason = said;
        return verdict;
    }
};

constexpr const char* row = "m\tg\t0\t\t[]\t1768219200\t1\n";
constexpr const char* old_row = "m\tg\t0\t\t[]\t1768215599\t1\n";

TEST_CASE("intake: each kind of points has its address; distributions go uncompressed") {
    CHECK(Fixture(Api::series_v2).build(row).url == "https://api.datadoghq.eu/api/v2/series");
    CHECK(Fixture(Api::series_v1).build(row).url == "https://api.datadoghq.eu/api/v1/series");
    CHECK(Fixture(Api::series_v1).build(row).may_compress);
    const push::Request values = Fixture(Api::distribution).build(row);
    CHECK(values.url == "https://api.datadoghq.eu/api/v1/distribution_points");
    CHECK_FALSE(values.may_compress);
}

TEST_CASE("intake: the key is a header, and nowhere else") {
    const push::Request request = Fixture().build(row);
    CHECK(request.method == "POST");
    REQUIRE(request.headers.size() == 2);
    CHECK(request.headers[0] == "Content-Type: application/json");
    CHECK(request.headers[1] == "DD-API-KEY: secret");
    CHECK(request.url.find("secret") == std::string::npos);
    CHECK(request.body.find("secret") == std::string::npos);
}

TEST_CASE("intake: a key that is refused is told with its site, and without itself") {
    Fixture fixture;
    std::string reason;
    CHECK(fixture.judge(403, &reason) == push::Verdict::refused);
    CHECK(reason.find("https://api.datadoghq.eu does not know the API key") != std::string::npos);
    CHECK(reason.find("secret") == std::string::npos);
}

TEST_CASE("intake: the documented answers") {
    Fixture fixture;
    CHECK(fixture.judge(202) == push::Verdict::done);
    CHECK(fixture.judge(400) == push::Verdict::drop);
    CHECK(fixture.judge(408) == push::Verdict::retry);
    CHECK(fixture.judge(413) == push::Verdict::split);
    CHECK(fixture.judge(429) == push::Verdict::retry);
    CHECK(fixture.judge(0) == push::Verdict::retry);
}

TEST_CASE("intake: points that are too old are counted once, however often the block comes") {
    Fixture fixture;
    const std::string rows = std::string(row) + old_row;
    CHECK_FALSE(fixture.build(rows).url.empty());
    CHECK(fixture.judge(503) == push::Verdict::retry);
    CHECK_FALSE(fixture.build(rows).url.empty());
    CHECK(fixture.judge(202) == push::Verdict::done);
    CHECK(fixture.untimely->value() == 1);
}

TEST_CASE("intake: a block of old points alone is not sent") {
    Fixture fixture;
    CHECK(fixture.build(old_row).url.empty());
    CHECK(fixture.untimely->value() == 1);
}

}  // namespace
}  // namespace latmon::plugins::datadog
