// SPDX-License-Identifier: Apache-2.0
//
// What is said to a server, and what its answers mean, with a server that is a list of answers.
#include "clickhouse/backend.hpp"
#include "clickhouse/server_error.hpp"
#include "support/driver/driver_host.hpp"

#include <doctest/doctest.h>
#include <array>
#include <deque>

namespace latmon::plugins::clickhouse {
namespace {

using driver::DriverHost;
using push::Verdict;

push::Response answer(int status, std::string body) {
    push::Response response;
    response.status = status;
    response.body = std::move(body);
    return response;
}

class Server final : public push::Client {
public:
    explicit Server(std::deque<push::Response> answers) : answers_(std::move(answers)) {}
    push::Response send(const push::Request& request) override {
        requests.push_back(request);
        if (answers_.empty()) return {};
        const push::Response response = answers_.front();
        answers_.pop_front();
        return response;
    }
    std::vector<push::Request> requests;

private:
    std::deque<push::Response> answers_;
};

const char* const small_table = "time\tDateTime\t\t\nstatus\tString\t\t\n";

Destination destination() {
    return {.url = "http://127.0.0.1:8123",
            .database = "default",
            .table = "latmon_samples",
            .username = "latmon",
            .password = "secret",
            .columns = {"MetricName", "Timestamp", "MetricValue", "Tags", "InsertedAt"}};
}

push::Record record(std::uint32_t rows) {
    push::Record out{.rows = rows, .payload = {}};
    std::string labels;
    append_labels(labels, {}, {});
    latmon_sample_t sample{};
    sample.kind = LATMON_KIND_EXCHANGE;
    sample.status = LATMON_STATUS_OK;
    sample.time_ns = 1'000'000'000;
    for (std::uint32_t index = 0; index < rows; ++index) {
        append_sample(out.payload, sample, labels);
    }
    return out;
}

struct Fixture {
    explicit Fixture(Destination to = destination())
        : host(std::vector<driver::SeriesText>(1)), backend(host.table(), std::move(to)) {}

    Verdict prepare(std::deque<push::Response> answers) {
        Server server(std::move(answers));
        const Verdict verdict = backend.prepare(server, reason);
        requests = server.requests;
        return verdict;
    }
    Verdict judge(const push::Response& response) { return backend.judge(response, reason); }

    DriverHost host;
    Backend backend;
    std::string reason;
    std::vector<push::Request> requests;
};

TEST_CASE("backend: an old server gets an INSERT of the table's columns, an id, and no setting") {
    Fixture fixture;
    REQUIRE(fixture.prepare({answer(200, "18.16.1\n"), answer(200, small_table)}) == Verdict::done);
    CHECK(fixture.requests[0].url == "http://127.0.0.1:8123/?database=default");
    CHECK(fixture.requests[0].body == "SELECT version()");
    CHECK(fixture.requests[1].body == "DESCRIBE TABLE `latmon_samples` FORMAT TabSeparated");
    const push::Record records[] = {record(2), record(1)};
    const push::Block block{.records = records, .rows = 3, .id = "0123"};
    const push::Request request = fixture.backend.build(block);
    CHECK(request.method == "POST");
    CHECK(request.url ==
          "http://127.0.0.1:8123/?query=INSERT%20INTO%20%60latmon_samples%60%20%28%60time%60%2C"
          "%20%60status%60%29%20FORMAT%20RowBinary&query_id=0123&database=default");
    CHECK_FALSE(request.is_repeatable);
    CHECK(request.headers == std::vector<std::string>{"Content-Type: application/octet-stream",
                                                      "X-ClickHouse-User: latmon",
                                                      "X-ClickHouse-Key: secret"});
    const std::string row("\1\0\0\0\2ok", 7);
    CHECK(request.body == row + row + row);
    CHECK(fixture.backend.build(block).body == request.body);
}

TEST_CASE("backend: a server that drops what comes twice is told the block's id") {
    Fixture fixture;
    REQUIRE(fixture.prepare({answer(200, "24.8.1.2\n"), answer(200, small_table)}) ==
            Verdict::done);
    const push::Record records[] = {record(1)};
    const std::string url =
        fixture.backend.build({.records = records, .rows = 1, .id = "abcd"}).url;
    CHECK(url.find("&query_id=abcd&async_insert=0&insert_deduplication_token=abcd&") !=
          std::string::npos);
}

TEST_CASE("backend: a table that is not there is said with the file that makes it") {
    Fixture fixture;
    const push::Response none = answer(404, "Code: 60, e.displayText() = DB::Exception: no table");
    CHECK(fixture.prepare({answer(200, "18.16.1\n"), none}) == Verdict::retry);
    CHECK(fixture.reason ==
          "there is no table latmon_samples: create it with contrib/clickhouse/schema-18.16.sql, "
          "or set create_table = true");
    CHECK(fixture.prepare({answer(200, "25.1.1\n"), none}) == Verdict::retry);
    CHECK(fixture.reason.find("contrib/clickhouse/schema.sql") != std::string::npos);
}

TEST_CASE("backend: with create_table it makes the table and looks again") {
    Destination to = destination();
    to.create_table = true;
    Fixture fixture(to);
    CHECK(fixture.prepare({answer(200, "18.16.1\n"),
                           answer(404, "Code: 60, e.displayText() = DB::Exception: x"),
                           answer(200, ""), answer(200, small_table)}) == Verdict::done);
    REQUIRE(fixture.requests.size() == 4);
    CHECK(fixture.requests[2].body.starts_with("CREATE TABLE IF NOT EXISTS `latmon_samples`\n("));
    CHECK(fixture.prepare({answer(200, "18.16.1\n"),
                           answer(404, "Code: 60, e.displayText() = DB::Exception: x"),
                           answer(500, "Code: 164, e.displayText() = DB::Exception: readonly")}) ==
          Verdict::refused);
}

TEST_CASE("backend: a wrong password is refused, and never repeated in words") {
    Fixture fixture;
    CHECK(fixture.prepare(
              {answer(401, "Code: 193. DB::Exception: Wrong password for user latmon")}) ==
          Verdict::refused);
    CHECK(fixture.reason.find("user latmon: check username") != std::string::npos);
    CHECK(fixture.reason.find("secret") == std::string::npos);
}

TEST_CASE("backend: what is no ClickHouse is no reason to lose rows") {
    Fixture fixture;
    CHECK(fixture.prepare({answer(200, "<html>It works!</html>")}) == Verdict::retry);
    CHECK(fixture.reason.find("no ClickHouse") != std::string::npos);
    CHECK(fixture.prepare({push::Response{}}) == Verdict::retry);
    CHECK(fixture.prepare({answer(404, "Code: 81. DB::Exception: no such database")}) ==
          Verdict::retry);
    CHECK(fixture.reason ==
          "there is no database default: create it, or write another as database");
}

TEST_CASE("backend: a table that cannot hold a value is said, and asked for again") {
    Fixture fixture;
    CHECK(fixture.prepare({answer(200, "18.16.1\n"), answer(200, "time\tDate\t\t\n")}) ==
          Verdict::retry);
    CHECK(fixture.reason.starts_with("table latmon_samples: column time is Date, which cannot"));
}

TEST_CASE("backend: columns that are missing are told once") {
    Fixture fixture;
    for (int turn = 0; turn < 2; ++turn) {
        REQUIRE(fixture.prepare({answer(200, "18.16.1\n"), answer(200, small_table)}) ==
                Verdict::done);
    }
    const std::string log = fixture.host.log_text();
    CHECK(log.find("[WARNING] table latmon_samples has no column for kind, protocol, ") == 0);
    CHECK(log.find('\n') == log.size() - 1);
}

TEST_CASE("backend: errors are told apart by their number") {
    Fixture fixture;
    for (const int code : {60, 81, 95, 159, 202, 209, 210, 218, 241, 252, 499, 999, 1001}) {
        CHECK(fixture.judge(answer(
                  500, "Code: " + std::to_string(code) + ", e.displayText() = DB::Exception: x")) ==
              Verdict::retry);
    }
    for (const int code : {192, 193, 194, 516, 497}) {
        CHECK(fixture.judge(answer(403, "Code: " + std::to_string(code) + ". DB::Exception: x")) ==
              Verdict::refused);
    }
    CHECK(fixture.judge(answer(400, "Code: 62. DB::Exception: Syntax error")) == Verdict::drop);
    CHECK(fixture.judge(answer(200, "")) == Verdict::done);
    CHECK(fixture.judge(answer(503, "try later")) == Verdict::retry);
    CHECK(fixture.judge(answer(413, "")) == Verdict::split);
    CHECK(fixture.judge(push::Response{}) == Verdict::retry);
}

TEST_CASE("backend: an error behind a status of 200 is an error") {
    Fixture fixture;
    CHECK(fixture.judge(answer(200, "\r\nCode: 252. DB::Exception: Too many parts")) ==
          Verdict::retry);
    push::Response response = answer(200, "");
    response.headers = {"x-clickhouse-exception-code: 241"};
    CHECK(fixture.judge(response) == Verdict::retry);
}

TEST_CASE("backend: a table that changed is looked at again; unchanged, it refuses for good") {
    Fixture fixture;
    const auto look = [&fixture](const char* table) {
        REQUIRE(fixture.prepare({answer(200, "18.16.1\n"), answer(200, table)}) == Verdict::done);
    };
    const push::Response no_column = answer(404, "Code: 16. DB::Exception: No such column");
    look(small_table);
    CHECK(fixture.judge(no_column) == Verdict::retry);
    look(small_table);
    CHECK(fixture.judge(no_column) == Verdict::retry);
    look("time\tDateTime\t\t\n");
    CHECK(fixture.judge(no_column) == Verdict::retry);
    look("time\tDateTime\t\t\n");
    CHECK(fixture.judge(no_column) == Verdict::retry);
    look("time\tDateTime\t\t\n");
    CHECK(fixture.judge(no_column) == Verdict::drop);
}

TEST_CASE("backend: each block has attempts of its own at a table that refuses") {
    Fixture fixture;
    const std::deque<push::Response> look{answer(200, "18.16.1\n"), answer(200, small_table)};
    const push::Record records[] = {record(1)};
    for (const char* const id : {"1", "2", "3"}) {
        for (const Verdict verdict : {Verdict::retry, Verdict::retry, Verdict::drop}) {
            CAPTURE(id);
            REQUIRE(fixture.prepare(look) == Verdict::done);
            CHECK_FALSE(
                fixture.backend.build({.records = records, .rows = 1, .id = id}).url.empty());
            CHECK(fixture.judge(answer(500, "Code: 44. DB::Exception: Illegal column")) == verdict);
        }
    }
}

TEST_CASE("backend: a table that is dropped while we write is waited for without end") {
    Fixture fixture;
    for (int turn = 0; turn < 100; ++turn) {
        CHECK(fixture.judge(answer(404, "Code: 60. DB::Exception: no table")) == Verdict::retry);
    }
}

TEST_CASE(
    "backend: an error of the server's that we do not know costs a block after ten attempts") {
    Fixture fixture;
    const push::Response unknown = answer(500, "Code: 12345. DB::Exception: new");
    for (int turn = 0; turn < 10; ++turn) {
        CHECK(fixture.judge(unknown) == Verdict::retry);
    }
    CHECK(fixture.judge(unknown) == Verdict::drop);
    CHECK(fixture.judge(answer(400, "Code: 12345. DB::Exception: new")) == Verdict::drop);
}

TEST_CASE("backend: only what a server of this kind writes is one of its errors") {
    const auto code = [](const char* body) { return error_code(answer(500, body)); };
    CHECK(code("Code: 60. DB::Exception: x") == 60);
    CHECK(code("Code: 60, e.displayText() = DB::Exception: x") == 60);
    CHECK(code("a\tInt64\t\t\nCode: 241. DB::Exception: x") == 241);
    CHECK(code("Poco::Exception. Code: 1000, e.code() = 111, Connection refused") == 1000);
    CHECK(code("std::exception. Code: 1001, type: std::bad_alloc") == 1001);
    CHECK_FALSE(code("<h1>Status Code: 503. DB::Exception</h1>"));
    CHECK_FALSE(code("a\tInt64\t\t\tCode: 7. DB::Exception\t\n"));
    CHECK_FALSE(code("Code: 503\nDB::Exception"));
    CHECK_FALSE(code("Code: 503. Service unavailable"));
    CHECK_FALSE(code("Code: 60"));
    Fixture fixture;
    CHECK(fixture.judge(answer(503, "<h1>Status Code: 503</h1>")) == Verdict::retry);
    const char* const commented = "time\tDateTime\t\t\tCode: 7, ours\t\n";
    CHECK(fixture.prepare({answer(200, "24.8.1\n"), answer(200, commented)}) == Verdict::done);
}

TEST_CASE("backend: rows that it cannot read are counted, and the others go their way") {
    Fixture fixture;
    REQUIRE(fixture.prepare({answer(200, "18.16.1\n"), answer(200, small_table)}) == Verdict::done);
    push::Record records[] = {record(2), record(1), record(1)};
    records[0].payload.resize(records[0].payload.size() - 1);
    records[1].payload.front() = 'Z';
    const push::Block block{.records = records, .rows = 4, .id = "0"};
    CHECK(fixture.backend.build(block).body == std::string("\1\0\0\0\2ok\1\0\0\0\2ok", 14));
    CHECK(fixture.backend.build(block).body.size() == 14);
    CHECK(fixture.judge(answer(200, "")) == Verdict::done);
    CHECK(fixture.host.counter("clickhouse_rows_unreadable_total") == 2);
    const push::Block bad{.records = std::span(records).subspan(1, 1), .rows = 1, .id = "1"};
    CHECK(fixture.backend.build(bad).url.empty());
    CHECK(fixture.host.counter("clickhouse_rows_unreadable_total") == 3);
}

// -- A block of unknown fate ----------------------------------------------------------------------

const char* const exact_table = "time_ns\tInt64\t\t\nstatus\tString\t\t\n";

// Four rows, time_ns 0 to 3.
struct Doubt : Fixture {
    explicit Doubt(Destination to = destination(), const char* table = exact_table,
                   const char* version = "18.16.1\n")
        : Fixture(std::move(to)) {
        REQUIRE(prepare({answer(200, version), answer(200, table)}) == Verdict::done);
        std::string labels;
        append_labels(labels, {}, {});
        latmon_sample_t sample{};
        sample.kind = LATMON_KIND_EXCHANGE;
        sample.status = LATMON_STATUS_OK;
        for (; sample.time_ns < 4; ++sample.time_ns) {
            push::Record& record = records[static_cast<std::size_t>(sample.time_ns) / 2];
            append_sample(record.payload, sample, labels);
            ++record.rows;
        }
    }
    std::optional<Verdict> settle(std::deque<push::Response> answers) {
        Server server(std::move(answers));
        const std::optional<Verdict> verdict = backend.settle(server, block(), reason);
        requests = server.requests;
        return verdict;
    }
    [[nodiscard]] push::Block block() const { return {.records = records, .rows = 4, .id = "77"}; }
    // The times of the rows in the next INSERT, as digits.
    std::string times() {
        const std::string body = backend.build(block()).body;
        std::string digits;
        for (std::size_t place = 0; place < body.size(); place += 11) {
            digits += static_cast<char>('0' + body[place]);
        }
        return digits;
    }

    // Of the next INSERT; "" if there is none.
    std::string token() {
        static constexpr std::string_view name = "&insert_deduplication_token=";
        const std::string url = backend.build(block()).url;
        const std::size_t at = url.find(name);
        if (at == std::string::npos) return "";
        const std::string rest = url.substr(at + name.size());
        return rest.substr(0, rest.find('&'));
    }

    std::array<push::Record, 2> records;
};

TEST_CASE("backend: a block that the table has is done, and counted as there") {
    Doubt doubt;
    CHECK(doubt.settle({answer(200, "0\n"), answer(200, "4\t[]\t[]\n")}) == Verdict::done);
    CHECK(doubt.host.counter("clickhouse_blocks_checked_total") == 1);
    CHECK(doubt.host.counter("clickhouse_rows_already_there_total") == 4);
    REQUIRE(doubt.requests.size() == 2);
    CHECK(doubt.requests[0].body == "SELECT count() FROM system.processes WHERE query_id = '77'");
    const push::Request& question = doubt.requests[1];
    CHECK(question.url ==
          "http://127.0.0.1:8123/?latmon_block_format=RowBinary&latmon_block_structure="
          "n%20Int64%2Cc0%20Int64%2Cc1%20String&database=default");
    CHECK(question.headers[0] == "Content-Type: multipart/form-data; boundary=latmon-77");
    CHECK_FALSE(question.may_compress);
    CHECK(question.body.starts_with(
        "--latmon-77\r\nContent-Disposition: form-data; name=\"query\"\r\n\r\nSELECT "));
    CHECK(
        question.body.ends_with(std::string("\3\0\0\0\0\0\0\0\2ok", 11) + "\r\n--latmon-77--\r\n"));
}

TEST_CASE("backend: of a block that is there in part the rest is sent, and no more") {
    Doubt doubt;
    CHECK_FALSE(doubt.settle({answer(200, "0\n"), answer(200, "4\t[0,3]\t[1,3]\n")}));
    CHECK(doubt.times() == "013");
    CHECK(doubt.times() == "013");
    CHECK(doubt.judge(answer(200, "")) == Verdict::done);
    CHECK(doubt.host.counter("clickhouse_rows_already_there_total") == 1);
    CHECK_FALSE(doubt.settle({answer(200, "0\n"), answer(200, "4\t[0]\t[3]\n")}));
    CHECK(doubt.times() == "0123");
}

TEST_CASE("backend: what a server was found not to have gets a token that it cannot know") {
    Doubt doubt(destination(), exact_table, "24.8.1.2\n");
    CHECK(doubt.token() == "77");
    std::vector<std::string> tokens;
    // Also of a process after a crash: the same block, and again its first question.
    Doubt after(destination(), exact_table, "24.8.1.2\n");
    for (Doubt* const asking : {&doubt, &doubt, &after}) {
        CHECK_FALSE(asking->settle({answer(200, "0\n"), answer(200, "4\t[0]\t[3]\n")}));
        tokens.push_back(asking->token());
        CHECK(asking->token() == tokens.back());  // Of the same question.
        CHECK(tokens.back().starts_with("77-"));
        CHECK(tokens.back().size() == 35);
    }
    CHECK(tokens[0] != tokens[1]);
    CHECK(tokens[0] != tokens[2]);
    CHECK(tokens[1] != tokens[2]);

    Destination to = destination();
    to.check_before_resend = false;
    Doubt unwanted(to, exact_table, "24.8.1.2\n");
    CHECK_FALSE(unwanted.settle({}));
    CHECK(unwanted.token() == "77");
}

TEST_CASE("backend: while the earlier INSERT runs, or nothing can be known, nothing is sent") {
    Doubt doubt;
    CHECK(doubt.settle({answer(200, "1\n")}) == Verdict::retry);
    CHECK(doubt.requests.size() == 1);
    CHECK(doubt.reason.ends_with("the server is still at the earlier INSERT"));
    CHECK(doubt.settle({push::Response{}}) == Verdict::retry);
    CHECK(doubt.settle({answer(200, "0\n"), push::Response{}}) == Verdict::retry);
    CHECK(doubt.settle({answer(200, "0\n"), answer(500, "Code: 62. DB::Exception: x")}) ==
          Verdict::retry);
    CHECK(doubt.settle({answer(200, "0\n"), answer(403, "Code: 497. DB::Exception: x")}) ==
          Verdict::refused);
    CHECK(doubt.settle({answer(200, "0\n"), answer(413, "")}) == Verdict::split);
    CHECK(doubt.host.counter("clickhouse_blocks_checked_total") == 0);
}

TEST_CASE("backend: a server that saw other rows than ours has said nothing of them") {
    Doubt doubt;
    CHECK(doubt.settle({answer(200, "0\n"), answer(200, "0\t[]\t[]\n")}) == Verdict::retry);
    CHECK(doubt.settle({answer(200, "0\n"), answer(200, "3\t[]\t[]\n")}) == Verdict::retry);
    CHECK(doubt.settle({answer(200, "0\n"), answer(200, "<html>")}) == Verdict::retry);
}

TEST_CASE("backend: who does not want it, or has a table of seconds, is not asked") {
    Destination to = destination();
    to.check_before_resend = false;
    Doubt unwanted(to);
    CHECK_FALSE(unwanted.settle({}));
    CHECK(unwanted.requests.empty());
    CHECK(unwanted.times() == "0123");
    Doubt coarse(destination(), small_table);
    CHECK_FALSE(coarse.settle({}));
    CHECK_FALSE(coarse.settle({}));
    CHECK(coarse.requests.empty());
    const std::string log = coarse.host.log_text();
    const std::size_t told = log.find("does not keep the time to the nanosecond");
    REQUIRE(told != std::string::npos);
    CHECK(log.find("does not keep", told + 1) == std::string::npos);
}

TEST_CASE("backend: only an answer that leaves no doubt leaves none") {
    Fixture fixture;
    push::Response refused;
    refused.is_unsent = true;
    for (const push::Response& sure :
         {refused, answer(429, ""), answer(413, ""), answer(403, "Code: 497. DB::Exception: x"),
          answer(500, "Code: 516. DB::Exception: x"), answer(500, "Code: 202. DB::Exception: x")}) {
        CHECK_FALSE(fixture.backend.may_have_taken(sure));
    }
    for (const push::Response& doubtful :
         {push::Response{}, answer(502, ""), answer(500, "Code: 241. DB::Exception: x"),
          answer(500, "Code: 216. DB::Exception: x"), answer(400, "Code: 62. DB::Exception: x"),
          answer(400, "Code: 117. DB::Exception: x"), answer(400, "Code: 53. DB::Exception: x"),
          answer(408, "Code: 159. DB::Exception: x"), answer(200, "Code: 241. DB::Exception: x")}) {
        CHECK(fixture.backend.may_have_taken(doubtful));
    }
}

TEST_CASE("backend: what is missing in too many places is sent in several goes") {
    Doubt doubt;
    doubt.records[0] = {};
    std::string labels;
    append_labels(labels, {}, {});
    latmon_sample_t sample{};
    sample.status = LATMON_STATUS_OK;
    for (; doubt.records[0].rows < 7'000; ++doubt.records[0].rows) {
        append_sample(doubt.records[0].payload, sample, labels);
    }
    std::string numbers = "0";
    for (int number = 1; number < 3'000; ++number) {
        numbers += "," + std::to_string(2 * number);
    }
    CHECK_FALSE(doubt.settle(
        {answer(200, "0\n"), answer(200, "7002\t[" + numbers + "]\t[" + numbers + "]\n")}));
    CHECK(doubt.backend.build(doubt.block()).body.size() == 3'000 * 11);
    CHECK(doubt.judge(answer(200, "")) == Verdict::retry);
    CHECK(doubt.backend.may_have_taken(answer(200, "")));
    CHECK(doubt.settle({answer(200, "0\n"), answer(200, "7002\t[]\t[]\n")}) == Verdict::done);
}

}  // namespace
}  // namespace latmon::plugins::clickhouse
