// SPDX-License-Identifier: Apache-2.0
//
// Rows to a ClickHouse server over HTTP: looks at the table first, then writes RowBinary for the
// types that it has. What may be there already it asks for before it is sent again (settle.cpp).
// All of it on the sender-thread.
#pragma once

#include "clickhouse/mapping.hpp"
#include "clickhouse/missing.hpp"
#include "clickhouse/question.hpp"
#include "clickhouse/statements.hpp"
#include "push/backend.hpp"
#include "support/counters.hpp"

#include <latmon/latmon.h>

#include <string>
#include <vector>

namespace latmon::plugins::clickhouse {

// Where rows go.
struct Destination {
    std::string url;       // Without a '/' at its end.
    std::string database;  // "": the user's own.
    std::string table;     // "name" or "database.name".
    std::string username;
    std::string password;
    Shape shape = Shape::sample;
    std::vector<std::string> columns{};  // Of points: their five columns.
    bool create_table = false;
    bool check_before_resend = true;
};

class Backend final : public push::Backend {
public:
    // Has the counters clickhouse_rows_unreadable_total: rows of a spool that another version, or
    // another configuration, left there; clickhouse_blocks_checked_total: blocks of unknown fate
    // about which the table was asked; clickhouse_rows_already_there_total: rows of those that it
    // had, which were not sent again. [main-thread & in create()]
    Backend(const latmon_host_t* host, Destination destination);

    // Asks for the server's version and the table's columns, and creates the table if it may.
    [[nodiscard]] push::Verdict prepare(push::Client& client, std::string& reason) override;
    // The three of them only after prepare() said done.
    [[nodiscard]] std::optional<push::Verdict> settle(push::Client& client,
                                                      const push::Block& block,
                                                      std::string& reason) override;
    [[nodiscard]] push::Request build(const push::Block& block) override;
    [[nodiscard]] push::Verdict judge(const push::Response& response, std::string& reason) override;
    [[nodiscard]] bool may_have_taken(const push::Response& response) const override;

private:
    [[nodiscard]] push::Request request(std::string_view parameters, std::string body) const;
    [[nodiscard]] push::Verdict judge_question(const push::Response& response,
                                               std::string& reason) const;
    [[nodiscard]] push::Verdict ask_version(push::Client& client, std::string& reason);
    [[nodiscard]] push::Verdict create(push::Client& client, std::string& reason) const;
    [[nodiscard]] push::Verdict use(const push::Response& description, std::string& reason);
    void tell_missing();
    [[nodiscard]] push::Verdict ask_running(push::Client& client, std::string& reason) const;
    [[nodiscard]] push::Request missing_request(const push::Block& block, std::int64_t& rows);
    [[nodiscard]] push::Verdict ask_missing(push::Client& client, const push::Block& block,
                                            std::string& reason);
    [[nodiscard]] std::string insert_parameters() const;
    [[nodiscard]] bool is_sent(std::int64_t number);
    void begin(const push::Block& block);
    void note_done();
    void tell_unsettled(const std::string& reason);

    const latmon_host_t* host_;
    Destination destination_;
    Counter unreadable_;
    Counter checked_;
    Counter there_;
    ServerVersion version_;
    std::string description_;  // What the server said of the table, to see that it changed.
    Mapping mapping_;
    Question question_;
    std::string insert_;            // The statement, URL-encoded.
    std::string missing_told_;      // What the log knows to be missing.
    std::string unsettled_told_;    // Why a block cannot be settled.
    std::string block_id_;          // Of the block under way; what follows is about it alone.
    unsigned table_failures_ = 0;   // Errors of the table, while it is as described.
    unsigned server_failures_ = 0;  // 5xx with a number that we do not know.
    std::uint64_t block_unreadable_ = 0;
    Missing missing_;             // What the table said; no ranges: all of the block is sent.
    std::string question_id_;     // Of the question that it answered.
    std::size_t next_range_ = 0;  // Of them, where build() is.
    std::uint64_t sent_rows_ = 0;
    std::size_t body_bytes_ = 0;  // Of the last body.
};

}  // namespace latmon::plugins::clickhouse
