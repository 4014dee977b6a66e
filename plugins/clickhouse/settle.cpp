// SPDX-License-Identifier: Apache-2.0
//
// A block whose fate is unknown: the answer to its INSERT was lost, or the process that sent it is
// gone. First no INSERT of it may be running any more, which the block's id tells, for every
// attempt is a query of that id. Then the table is asked which of the rows it has not. All of it on
// the sender-thread.
//
// Two requests, because a server may look at the table before it looks at its queries. The rows
// travel as they are: what a part of a multipart body is packed with, old servers do not unpack.
#include "clickhouse/backend.hpp"
#include "clickhouse/block_rows.hpp"
#include "clickhouse/server_error.hpp"
#include "push/backlog.hpp"

#include <algorithm>

namespace latmon::plugins::clickhouse {
namespace {

using push::Verdict;

constexpr int too_large_status = 413;

}  // namespace

std::optional<Verdict> Backend::settle(push::Client& client, const push::Block& block,
                                       std::string& reason) {
    begin(block);
    missing_ = {};
    sent_rows_ = 0;
    if (!destination_.check_before_resend) return std::nullopt;
    if (question_.statement.empty()) {
        tell_unsettled("table " + destination_.table +
                       " does not keep the time to the nanosecond, so that rows cannot be told "
                       "apart: after an answer that was lost they may come twice");
        return std::nullopt;
    }
    Verdict verdict = ask_running(client, reason);
    if (verdict == Verdict::done) verdict = ask_missing(client, block, reason);
    if (verdict != Verdict::done) {
        reason = "whether the table has the rows already is not known yet: " + reason;
        tell_unsettled(reason);
        return verdict;
    }
    unsettled_told_.clear();
    if (!missing_.ranges.empty()) return std::nullopt;
    note_done();
    return Verdict::done;
}

// `done`: no INSERT of the block is under way.
Verdict Backend::ask_running(push::Client& client, std::string& reason) const {
    push::Request question =
        request("", "SELECT count() FROM system.processes WHERE query_id = '" + block_id_ + "'");
    question.may_compress = false;
    const push::Response response = client.send(question);
    const Verdict verdict = judge_question(response, reason);
    if (verdict != Verdict::done || response.body == "0\n") return verdict;
    reason = "the server is still at the earlier INSERT";
    return Verdict::retry;
}

// The rows of the block as a file of a form, and the statement as a field of it: in the address it
// would be long, and Poco, which old servers read requests with, takes a first line whose end comes
// just behind its buffer of 4 KiB for the end of all headers.
push::Request Backend::missing_request(const push::Block& block, std::int64_t& rows) {
    const std::string name(block_name);
    const std::string mark = "latmon-" + block.id;
    std::string body = "--" + mark + "\r\nContent-Disposition: form-data; name=\"query\"\r\n\r\n" +
                       question_.statement + "\r\n--" + mark +
                       "\r\nContent-Disposition: form-data; name=\"" + name +
                       "\"; filename=\"rows\"\r\nContent-Type: application/octet-stream\r\n\r\n";
    block_unreadable_ = 0;
    for (const push::Record& record : block.records) {
        const std::uint64_t read = for_each_row(
            record.payload, destination_.shape,
            [&](const Row& row) { append_question_row(body, rows++, row, question_); });
        block_unreadable_ += record.rows > read ? record.rows - read : 0;
    }
    body += "\r\n--" + mark + "--\r\n";
    push::Request question = request(
        name + "_format=RowBinary&" + name + "_structure=" + url_encoded(question_.structure),
        std::move(body));
    question.headers.front() = "Content-Type: multipart/form-data; boundary=" + mark;
    question.may_compress = false;
    return question;
}

// `done`: missing_ is known.
Verdict Backend::ask_missing(push::Client& client, const push::Block& block, std::string& reason) {
    std::int64_t rows = 0;
    const push::Response response = client.send(missing_request(block, rows));
    if (response.status == too_large_status && block.records.size() > 1) return Verdict::split;
    const Verdict verdict = judge_question(response, reason);
    if (verdict != Verdict::done) return verdict;
    std::optional<Missing> missing = parse_missing(response.body);
    // A server that did not get all rows would not miss those that it did not get.
    if (!missing || missing->rows != rows) {
        reason = "the answer makes no sense: " + error_text(response);
        return Verdict::retry;
    }
    checked_.add(1);
    missing_ = std::move(*missing);
    question_id_ = push::make_block_id();
    return Verdict::done;
}

bool Backend::is_sent(std::int64_t number) {
    const std::vector<RowRange>& ranges = missing_.ranges;
    if (ranges.empty()) return true;  // Nobody asked.
    while (next_range_ < ranges.size() && ranges[next_range_].last < number) {
        ++next_range_;
    }
    return next_range_ < ranges.size() && ranges[next_range_].first <= number;
}

// The server has all of the block: what was sent last, and what was there before.
void Backend::note_done() {
    if (missing_.rows > 0) there_.add(static_cast<std::uint64_t>(missing_.rows) - sent_rows_);
    unreadable_.add(std::exchange(block_unreadable_, 0));
}

// The status behind an error of the server's own says nothing: a view that fails, or a time that is
// up, may come after the table's part is there, and new servers answer both with a 4xx. To ask once
// too often does no harm.
bool Backend::may_have_taken(const push::Response& response) const {
    const std::optional<int> code = error_code(response);
    if (code) return !is_before_insert(*code);
    return push::may_be_there(response) || (missing_.is_cut && response.status == 200);
}

// The library that pushes tells the first failure, which was another.
void Backend::tell_unsettled(const std::string& reason) {
    if (reason == unsettled_told_) return;
    unsettled_told_ = reason;
    host_->log(host_, LATMON_LOG_WARNING, reason.c_str());
}

}  // namespace latmon::plugins::clickhouse
