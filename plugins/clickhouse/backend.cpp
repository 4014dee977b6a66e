// SPDX-License-Identifier: Apache-2.0
//
// Old servers refuse a setting that they do not know, so that none is sent but the deduplication
// token and async_insert, and those only where they are known. Not even wait_end_of_query: an
// INSERT has no answer before it is done.
#include "clickhouse/backend.hpp"

#include "clickhouse/block_rows.hpp"
#include "clickhouse/server_error.hpp"

namespace latmon::plugins::clickhouse {
namespace {

using push::Verdict;

// A table that refuses a block as often as this, unchanged, will refuse it always.
constexpr unsigned table_failures_max = 2;

// As often, pauses between, a server may fail in a way that we do not know before a block is to
// blame.
constexpr unsigned server_failures_max = 10;

// push::Response::body is cut there.
constexpr std::size_t description_bytes_max = 64UL * 1024UL;

std::string access_text(const Destination& destination) {
    return "user " + destination.username + ": check username, password and the user's rights";
}

}  // namespace

Backend::Backend(const latmon_host_t* host, Destination destination)
    : host_(host),
      destination_(std::move(destination)),
      unreadable_(host, "clickhouse_rows_unreadable_total"),
      checked_(host, "clickhouse_blocks_checked_total"),
      there_(host, "clickhouse_rows_already_there_total") {}

push::Request Backend::request(std::string_view parameters, std::string body) const {
    push::Request request;
    request.url = destination_.url + "/?" + std::string(parameters);
    if (!destination_.database.empty()) {
        if (!request.url.ends_with('?')) request.url += '&';
        request.url += "database=" + url_encoded(destination_.database);
    }
    request.headers = {"Content-Type: application/octet-stream",
                       "X-ClickHouse-User: " + destination_.username};
    if (!destination_.password.empty()) {
        request.headers.push_back("X-ClickHouse-Key: " + destination_.password);
    }
    request.body = std::move(body);
    return request;
}

// -- Looking at the table -------------------------------------------------------------------------

// Of a question, nothing is lost by asking again.
Verdict Backend::judge_question(const push::Response& response, std::string& reason) const {
    const std::optional<int> code = error_code(response);
    if (!code && response.status == 200) return Verdict::done;
    reason = error_text(response);
    const bool is_access = code ? class_of(*code) == ErrorClass::access
                                : response.status == 401 || response.status == 403;
    if (!is_access) return Verdict::retry;
    reason = access_text(destination_) + " (" + reason + ")";
    return Verdict::refused;
}

Verdict Backend::ask_version(push::Client& client, std::string& reason) {
    push::Request question = request("", "SELECT version()");
    question.may_compress = false;
    const push::Response response = client.send(question);
    const Verdict verdict = judge_question(response, reason);
    if (verdict != Verdict::done) {
        if (error_code(response) == unknown_database_code) {
            reason = "there is no database " + destination_.database +
                     ": create it, or write another as database";
        }
        return verdict;
    }
    version_ = parse_version(response.body);
    if (version_ != ServerVersion{}) return Verdict::done;
    reason = "what answers is no ClickHouse: it gives no version";
    return Verdict::retry;
}

Verdict Backend::create(push::Client& client, std::string& reason) const {
    const SchemaTable kind =
        destination_.shape == Shape::sample ? SchemaTable::samples : SchemaTable::points;
    push::Request question = request("", create_statement(version_, kind, destination_.table));
    question.may_compress = false;
    const Verdict verdict = judge_question(client.send(question), reason);
    if (verdict != Verdict::done) reason = "the table cannot be created: " + reason;
    return verdict;
}

Verdict Backend::prepare(push::Client& client, std::string& reason) {
    Verdict verdict = ask_version(client, reason);
    if (verdict != Verdict::done) return verdict;
    push::Request question =
        request("", "DESCRIBE TABLE " + quoted_table(destination_.table) + " FORMAT TabSeparated");
    question.may_compress = false;
    push::Response response = client.send(question);
    if (error_code(response) == unknown_table_code) {
        if (!destination_.create_table) {
            reason = "there is no table " + destination_.table + ": create it with " +
                     std::string(schema_file(version_)) + ", or set create_table = true";
            return Verdict::retry;
        }
        verdict = create(client, reason);
        if (verdict != Verdict::done) return verdict;
        response = client.send(question);
    }
    verdict = judge_question(response, reason);
    return verdict == Verdict::done ? use(response, reason) : verdict;
}

Verdict Backend::use(const push::Response& description, std::string& reason) {
    if (description.body.size() >= description_bytes_max) {
        reason = "the description of table " + destination_.table + " is longer than 64 KiB";
        return Verdict::retry;
    }
    const std::vector<Column> columns = parse_description(description.body);
    Mapping mapping = destination_.shape == Shape::sample
                          ? map_samples(columns)
                          : map_points(columns, destination_.columns);
    if (!mapping.error.empty()) {
        reason = "table " + destination_.table + ": " + mapping.error;
        return Verdict::retry;
    }
    if (description.body != description_) table_failures_ = 0;
    description_ = description.body;
    mapping_ = std::move(mapping);
    question_ = question_of(mapping_, destination_.table);
    insert_ = url_encoded(insert_statement(destination_.table, mapping_.columns));
    tell_missing();
    return Verdict::done;
}

void Backend::tell_missing() {
    std::string list;
    for (const std::string& name : mapping_.missing) {
        list += (list.empty() ? "" : ", ") + name;
    }
    if (list == missing_told_) return;
    missing_told_ = list;
    if (list.empty()) return;
    const std::string text =
        "table " + destination_.table + " has no column for " + list + ": not stored";
    host_->log(host_, LATMON_LOG_WARNING, text.c_str());
}

// -- Blocks ---------------------------------------------------------------------------------------

void Backend::begin(const push::Block& block) {
    if (block_id_ == block.id) return;
    block_id_ = block.id;
    table_failures_ = server_failures_ = 0;
    block_unreadable_ = sent_rows_ = 0;
    missing_ = {};
}

// Every attempt is a query of the block's id: a server does not run two of one id, and tells if one
// is running. A table that drops what comes twice goes by the token, and may know one whose rows it
// has lost, because it was killed in between. So rows that it was asked for, and does not have, get
// a token that nobody has used, no process before us either.
std::string Backend::insert_parameters() const {
    std::string parameters = "query=" + insert_ + "&query_id=" + block_id_;
    if (version_ < modern_version) return parameters;
    parameters += "&async_insert=0&insert_deduplication_token=" + block_id_;
    if (!missing_.ranges.empty()) parameters += "-" + question_id_;
    return parameters;
}

push::Request Backend::build(const push::Block& block) {
    begin(block);
    std::string body;
    body.reserve(body_bytes_ + body_bytes_ / 8);
    std::int64_t number = 0;
    next_range_ = 0;
    block_unreadable_ = sent_rows_ = 0;
    for (const push::Record& record : block.records) {
        const std::uint64_t rows =
            for_each_row(record.payload, destination_.shape, [&](const Row& row) {
                if (!is_sent(number++)) return;
                append_row_binary(body, row, mapping_.slots);
                ++sent_rows_;
            });
        block_unreadable_ += record.rows > rows ? record.rows - rows : 0;
    }
    body_bytes_ = body.size();
    if (number == 0) {
        note_done();
        return {};
    }
    push::Request insert = request(insert_parameters(), std::move(body));
    insert.is_repeatable = false;
    return insert;
}

push::Verdict Backend::judge(const push::Response& response, std::string& reason) {
    const std::optional<int> code = error_code(response);
    if (!code) {
        const Verdict verdict = push::judge_status(response);
        if (verdict != Verdict::done) return verdict;
        if (missing_.is_cut) {
            reason = "a part of what was missing is there now";
            return Verdict::retry;
        }
        note_done();
        return Verdict::done;
    }
    reason = error_text(response);
    switch (class_of(*code)) {
        case ErrorClass::later:
            return Verdict::retry;
        case ErrorClass::access:
            reason = access_text(destination_) + " (" + reason + ")";
            return Verdict::refused;
        case ErrorClass::table:
            return ++table_failures_ > table_failures_max ? Verdict::drop : Verdict::retry;
        case ErrorClass::block:
            break;
    }
    const bool is_servers = response.status >= 500;
    return is_servers && ++server_failures_ <= server_failures_max ? Verdict::retry : Verdict::drop;
}

}  // namespace latmon::plugins::clickhouse
