// SPDX-License-Identifier: Apache-2.0
//
// The functions are those that 18.16 has and that servers of today still have. The external data
// gets types without blank or comma: servers before 24.1 split its structure at them.
#include "clickhouse/question.hpp"

#include "clickhouse/missing.hpp"
#include "clickhouse/statements.hpp"

namespace latmon::plugins::clickhouse {
namespace {

// Two hashes of 64 bits over the same columns, as one key: no two rows on earth share it.
std::string key_of(const std::string& columns) {
    return "(cityHash64(" + columns + "), sipHash64(" + columns + "))";
}

class Composer {
public:
    void add(const Slot& slot, const std::string& column) {
        const std::string name = quoted(column);
        if (slot.encoding == Encoding::tag_map) {
            const std::string part = slot.type.is_map ? "" : "arrayMap(x -> tupleElement(x, ";
            add_array(slot, Encoding::tag_keys,
                      slot.type.is_map ? "mapKeys(" + name + ")" : part + "1), " + name + ")");
            add_array(slot, Encoding::tag_values,
                      slot.type.is_map ? "mapValues(" + name + ")" : part + "2), " + name + ")");
            return;
        }
        if (slot.type.base == ColumnType::Base::string_array) {
            add_array(slot, slot.encoding, name);
            return;
        }
        const std::string mine = add_slot(slot, plain_name(slot.type));
        if (slot.is_nullable) {
            const bool is_text = slot.type.base == ColumnType::Base::string;
            const std::string none = is_text ? ", '')" : ", 0)";
            add_key("isNull(" + mine + "), ifNull(" + mine + none,
                    "isNull(" + name + "), ifNull(" + name + none);
            return;
        }
        add_key(mine, name);
        add_bounds(slot, mine, name);
    }

    [[nodiscard]] Question take(std::string_view table) {
        if (!is_exact_) return {};
        const std::string block(block_name);
        // The first and last of each run of numbers: those whose neighbour is not one off.
        const std::string limit = ", 1, " + std::to_string(missing_ranges_max) + ")";
        question_.statement = "SELECT (SELECT count() FROM " + block +
                              "), arraySlice(arrayFilter((x, y) -> x != y + 1, a, "
                              "arrayResize(arrayPushFront(a, -2), length(a)))" +
                              limit +
                              ", arraySlice(arrayFilter((x, y) -> x + 1 != y, a, "
                              "arrayResize(arrayPopFront(a), length(a), -2))" +
                              limit + " FROM (SELECT arraySort(groupArray(n)) AS a FROM " + block +
                              " WHERE " + key_of(block_key_) + " NOT IN (SELECT " +
                              key_of(table_key_) + " FROM " + quoted_table(table) + " WHERE " +
                              bounds_ + ")) FORMAT TabSeparated";
        return std::move(question_);
    }

private:
    std::string add_slot(const Slot& slot, const std::string& type) {
        std::string name = "c" + std::to_string(question_.slots.size());
        question_.slots.push_back(slot);
        question_.structure += "," + name + " " + type;
        return name;
    }

    // As text: the elements may be of other types in the table, which hash otherwise.
    void add_array(Slot slot, Encoding encoding, const std::string& theirs) {
        slot.encoding = encoding;
        const std::string mine = add_slot(slot, "Array(String)");
        add_key("toString(" + mine + ")", "toString(" + theirs + ")");
    }

    void add_key(const std::string& mine, const std::string& theirs) {
        block_key_ += (block_key_.empty() ? "" : ", ") + mine;
        table_key_ += (table_key_.empty() ? "" : ", ") + theirs;
    }

    // Without them the whole table would be read: partitions and primary keys are made of such.
    void add_bounds(const Slot& slot, const std::string& mine, const std::string& theirs) {
        const std::string from = " FROM " + std::string(block_name) + ")";
        std::string bounds;
        if (slot.field->kind == Field::Kind::time) {
            bounds = theirs + " >= (SELECT min(" + mine + ")" + from + " AND " + theirs +
                     " <= (SELECT max(" + mine + ")" + from;
            const bool is_whole = slot.encoding == Encoding::int64 ||
                                  (slot.encoding == Encoding::ticks && slot.tick_ns == 1);
            is_exact_ = is_exact_ || (slot.field->is_key_time && is_whole);
        } else if (slot.field->kind == Field::Kind::text && slot.field->needs == 0) {
            bounds = theirs + " IN (SELECT " + mine + from;
        }
        if (!bounds.empty()) bounds_ += (bounds_.empty() ? "" : " AND ") + bounds;
    }

    Question question_{.slots = {}, .structure = "n Int64", .statement = {}};
    std::string block_key_;
    std::string table_key_;
    std::string bounds_;
    bool is_exact_ = false;
};

}  // namespace

Question question_of(const Mapping& mapping, std::string_view table) {
    Composer composer;
    for (std::size_t index = 0; index < mapping.slots.size(); ++index) {
        const Slot& slot = mapping.slots[index];
        if (slot.field->is_key) composer.add(slot, mapping.columns[index]);
    }
    return composer.take(table);
}

void append_question_row(std::string& out, std::int64_t number, const Row& row,
                         const Question& question) {
    out.append(reinterpret_cast<const char*>(&number), sizeof(number));
    append_row_binary(out, row, question.slots);
}

}  // namespace latmon::plugins::clickhouse
