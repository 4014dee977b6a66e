// SPDX-License-Identifier: Apache-2.0
//
// See exporter_set.hpp.
#include "daemon/exporter_set.hpp"

#include "base/assert.hpp"
#include "base/log.hpp"
#include "daemon/accounts.hpp"
#include "daemon/series.hpp"
#include "exporter/library.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>
#include <utility>

namespace latmon {
namespace {

// What an exporter that goes may take for what it has, as at the end of the process.
constexpr Duration leave_grace = Duration::from_ms(450);
constexpr Duration poll_pause = Duration::from_ms(2);

bool is_same_option(const std::pair<std::string, OptionValue>& a,
                    const std::pair<std::string, OptionValue>& b) {
    return a.first == b.first && a.second.value == b.second.value;
}

// Where a key stands, and in which order, makes no difference.
bool is_same(const ExporterConfig& a, const ExporterConfig& b) {
    return a.plugin == b.plugin && a.path == b.path && a.name == b.name &&
           a.queue_samples == b.queue_samples && a.kinds == b.kinds &&
           a.window_lengths == b.window_lengths && a.is_compatible == b.is_compatible &&
           a.options.size() == b.options.size() &&
           std::ranges::is_permutation(a.options, b.options, is_same_option);
}

// Whether a plugin refused because it cannot have what somebody else has: a port, or a path of the
// listener. By what it said: the ABI has no other word for it. Wrong either way is an exporter that
// ends and is made again, or a file that is refused.
bool is_something_taken(const Error& error) {
    constexpr std::array<std::string_view, 2> phrases{"in use", "has an exporter already"};
    return error.text.find("it said:") != std::string::npos &&
           std::ranges::any_of(phrases, [&error](std::string_view phrase) {
               return error.text.find(phrase) != std::string::npos;
           });
}

}  // namespace

ExporterSet::ExporterSet(SeriesRegistry& registry, CoreThreads& cores)
    : registry_(registry), cores_(cores) {}

ExporterSet::~ExporterSet() = default;

Result<std::unique_ptr<Exporter>> ExporterSet::make(const ExporterConfig& config,
                                                    const Setting& setting) const {
    return Exporter::open(config, setting.config_file, setting.plugin_path, {registry_, routes_},
                          core_count_);
}

ExporterSet::Entry* ExporterSet::find(std::string_view name) noexcept {
    const auto found = std::ranges::find_if(
        entries_, [name](const Entry& entry) { return entry.exporter->name() == name; });
    return found == entries_.end() ? nullptr : &*found;
}

// -- At the start -------------------------------------------------------------------------------

Result<void> ExporterSet::open(std::span<const ExporterConfig> configs, const Setting& setting,
                               std::uint32_t core_count) {
    core_count_ = core_count;
    core_cpus_ = setting.core_cpus;
    for (const ExporterConfig& config : configs) {
        const SeriesGroup series = add_queue_series(registry_, config.name);
        registry_.begin(series);
        Result<std::unique_ptr<Exporter>> made =
            make(with_fallback(config, setting.plugin_path), setting);
        if (!made) return std::unexpected(made.error());
        entries_.push_back({.exporter = std::move(*made), .series = series});
    }
    for (const Entry& entry : entries_)
        tell_added(entry.exporter->counters().begin_series());
    return {};
}

void ExporterSet::attach(StatsThread& stats) {
    stats_ = &stats;
    for (const Entry& entry : entries_)
        connect(nullptr, entry.exporter.get());
}

// Windows go to `heir`, and to `former` no more; null: there is none.
void ExporterSet::connect(Exporter* former, Exporter* heir) {
    if (stats_ == nullptr) return;
    stats_->replace_output(former != nullptr ? former->windows() : nullptr,
                           heir != nullptr ? heir->windows() : nullptr);
}

std::uint32_t ExporterSet::window_lengths() const noexcept {
    std::uint32_t lengths = 0;
    for (const Entry& entry : entries_) {
        if (entry.exporter->windows() != nullptr) lengths |= entry.exporter->windows()->lengths();
    }
    return lengths;
}

std::vector<SampleConsumer> ExporterSet::consumers(std::uint32_t core_index) const {
    std::vector<SampleConsumer> consumers;
    for (const Entry& entry : entries_) {
        Exporter& exporter = *entry.exporter;
        consumers.emplace_back(&exporter.queue(core_index), entry.series.first_id,
                               core_index == 0 ? &exporter.counters() : nullptr);
    }
    return consumers;
}

void ExporterSet::start() {
    for (const Entry& entry : entries_)
        entry.exporter->start(core_cpus_);
}

// -- While cores run ----------------------------------------------------------------------------

void ExporterSet::send(std::uint32_t core, const CoreCommand& command) {
    while (!cores_[core]->send(command))
        std::this_thread::sleep_for(std::chrono::nanoseconds(poll_pause.ns));
}

std::vector<std::uint64_t> ExporterSet::sent() const {
    std::vector<std::uint64_t> commands;
    for (const std::unique_ptr<CoreThread>& core : cores_)
        commands.push_back(core->sent());
    return commands;
}

bool ExporterSet::has_applied(const std::vector<std::uint64_t>& commands) const {
    for (std::size_t core = 0; core < commands.size(); ++core) {
        if (!cores_[core]->has_applied(commands[core])) return false;
    }
    return true;
}

// In every core, between two samples. Counters of the plugin's own are told of once their series
// have begun, by one core.
void ExporterSet::replace(Exporter* former, const Entry* heir, bool with_counters) {
    for (std::uint32_t core = 0; core < core_count_; ++core) {
        CoreCommand command{.kind = CoreCommand::Kind::replace_queue};
        if (former != nullptr) command.former = &former->queue(core);
        if (heir != nullptr) {
            const PluginCounters* const counters =
                with_counters && core == 0 ? &heir->exporter->counters() : nullptr;
            command.consumer = {&heir->exporter->queue(core), heir->series.first_id, counters};
        }
        send(core, command);
    }
}

// Those that will leave do not keep their pages from those that come.
void ExporterSet::set_leaving(std::span<const ExporterConfig> wanted, bool is_leaving) {
    for (const Entry& entry : entries_) {
        const bool stays = std::ranges::any_of(wanted, [&entry](const ExporterConfig& config) {
            return is_same(entry.exporter->config(), config);
        });
        entry.exporter->set_leaving(is_leaving && !stays);
    }
}

Result<ExporterChange> ExporterSet::prepare(std::span<const ExporterConfig> wanted,
                                            const Setting& setting) {
    ExporterChange change;
    for (const ExporterConfig& config : wanted)
        change.wanted.push_back(with_fallback(config, setting.plugin_path));
    set_leaving(change.wanted, true);
    Result<void> made = make_all(change, setting);
    set_leaving(change.wanted, false);
    if (!made) return std::unexpected(made.error());
    return change;
}

Result<void> ExporterSet::make_all(ExporterChange& change, const Setting& setting) {
    const std::vector<ExporterConfig>& wanted = change.wanted;
    change.made.resize(wanted.size());
    for (std::size_t index = 0; index < wanted.size(); ++index) {
        const ExporterConfig& config = change.wanted[index];
        const Entry* const former = find(config.name);
        if (former != nullptr && is_same(former->exporter->config(), config)) {
            if (former->exporter->has_new_file()) {
                log::warning("exporter " + config.name +
                             ": its plugin's file is another one than was loaded, which runs on: "
                             "restart latmon to load it");
            }
            continue;
        }
        Result<std::unique_ptr<Exporter>> made = make(config, setting);
        if (made) {
            change.made[index] = std::move(*made);
        } else if (former != nullptr && is_something_taken(made.error())) {
            change.in_place.push_back(index);
        } else {
            return std::unexpected(made.error());
        }
    }
    return {};
}

// Ends the exporter of this name, and makes it as `wanted`, else as it was.
Result<void> ExporterSet::swap_in_place(const ExporterConfig& wanted, const Setting& setting) {
    Entry former = std::move(*find(wanted.name));
    std::erase_if(entries_, [](const Entry& each) { return each.exporter == nullptr; });
    const ExporterConfig before = former.exporter->config();
    replace(former.exporter.get(), nullptr, false);
    leaving_.push_back({.exporter = std::move(former.exporter),
                        .series = former.series,
                        .has_heir = true,
                        .commands = sent()});
    while (advance())
        std::this_thread::sleep_for(std::chrono::nanoseconds(poll_pause.ns));
    Result<std::unique_ptr<Exporter>> made = make(wanted, setting);
    const bool is_made = made.has_value();
    const Error error = is_made ? Error{} : made.error();
    if (!is_made) made = make(before, setting);
    if (!made) {
        tell_removed(ids_of(former.series));
        registry_.end(former.series);
        return fail(error.code, error.text + "\nexporter " + before.name +
                                    " had to end for that, and cannot be made again as it was: " +
                                    made.error().text);
    }
    entries_.push_back({.exporter = std::move(*made), .series = former.series});
    bring_in(entries_.back(), nullptr);
    if (is_made) return {};
    return fail(error.code, error.text + "\nexporter " + before.name +
                                " had to end for that, and was made again as it was");
}

Result<void> ExporterSet::make_in_place(ExporterChange& change, const Setting& setting) {
    std::vector<ExporterConfig> before;
    for (const std::size_t index : change.in_place) {
        const ExporterConfig& config = change.wanted[index];
        log::info("exporter " + config.name +
                  ": cannot be made beside the one that runs, which ends first");
        before.push_back(find(config.name)->exporter->config());
        Result<void> swapped = swap_in_place(config, setting);
        if (swapped) continue;
        before.pop_back();  // What was refused is as it was, and so shall the others be.
        for (const ExporterConfig& former : before) {
            if (const Result<void> back = swap_in_place(former, setting); !back) {
                log::error(back.error().text);
            }
        }
        return swapped;
    }
    return {};
}

// Consumers first: nobody pushes before there is somebody to take it.
void ExporterSet::bring_in(Entry& entry, std::unique_ptr<Exporter> former) {
    entry.exporter->start(core_cpus_);
    connect(former.get(), entry.exporter.get());
    replace(former.get(), &entry, false);
    if (former != nullptr) {
        leaving_.push_back({.exporter = std::move(former),
                            .series = entry.series,
                            .has_heir = true,
                            .commands = sent()});
        return;  // Series of its counters begin when those of the former have ended.
    }
    tell_added(entry.exporter->counters().begin_series());
    replace(entry.exporter.get(), &entry, true);
}

void ExporterSet::take_out(Entry entry) {
    replace(entry.exporter.get(), nullptr, false);
    leaving_.push_back({.exporter = std::move(entry.exporter),
                        .series = entry.series,
                        .has_heir = false,
                        .commands = sent()});
}

void ExporterSet::commit(ExporterChange change) {
    std::vector<Entry> before = std::exchange(entries_, {});
    std::vector<std::unique_ptr<Exporter>> formers(change.wanted.size());
    std::vector<std::uint32_t> new_series;
    std::vector<bool> is_made(change.wanted.size());
    for (std::size_t index = 0; index < change.wanted.size(); ++index) {
        const std::string& name = change.wanted[index].name;
        const auto former = std::ranges::find_if(before, [&name](const Entry& entry) {
            return entry.exporter != nullptr && entry.exporter->name() == name;
        });
        const bool is_new = former == before.end();
        if (change.made[index] == nullptr) {
            LATMON_ASSERT(!is_new);
            entries_.push_back(std::move(*former));
            continue;
        }
        Entry entry{.exporter = std::move(change.made[index]),
                    .series = is_new ? add_queue_series(registry_, name) : former->series};
        if (is_new) {
            registry_.begin(entry.series);
            for (const std::uint32_t id : ids_of(entry.series))
                new_series.push_back(id);
        } else {
            formers[index] = std::move(former->exporter);
        }
        is_made[index] = true;
        entries_.push_back(std::move(entry));
    }
    tell_added(new_series);
    for (std::size_t index = 0; index < entries_.size(); ++index) {
        if (is_made[index]) bring_in(entries_[index], std::move(formers[index]));
    }
    for (Entry& rest : before) {
        if (rest.exporter != nullptr) take_out(std::move(rest));
    }
}

// -- Going --------------------------------------------------------------------------------------

void ExporterSet::end_series_of(Leaving& leaving) {
    tell_removed(leaving.exporter->counters().end_series());
    if (!leaving.has_heir) {
        tell_removed(ids_of(leaving.series));
        registry_.end(leaving.series);
        return;
    }
    Entry* const heir = find(leaving.exporter->name());
    if (heir == nullptr) return;
    tell_added(heir->exporter->counters().begin_series());
    replace(heir->exporter.get(), heir, true);
}

// True when it is gone.
bool ExporterSet::step(Leaving& leaving) {
    if (!leaving.is_draining) {
        if (!has_applied(leaving.commands)) return false;
        connect(leaving.exporter.get(), nullptr);
        end_series_of(leaving);
        leaving.is_draining = true;
        leaving.give_up = clock_.now() + leave_grace;
        leaving.exporter->begin_drain(leave_grace);
        return false;
    }
    if (!leaving.exporter->has_ended() && clock_.now() < leaving.give_up) return false;
    if (leaving.exporter->drain_and_stop({})) {
        leaving.exporter->end_plugin();
        log_exporter_accounts(leaving.exporter->accounts());
        return true;
    }
    log::warning("exporter " + leaving.exporter->name() +
                 " does not return from its plugin; it is left behind");
    stuck_.push_back(std::move(leaving.exporter));
    return true;
}

bool ExporterSet::advance() {
    // A step may make others.
    for (std::size_t index = 0; index < leaving_.size();) {
        if (step(leaving_[index])) {
            leaving_.erase(leaving_.begin() + static_cast<std::ptrdiff_t>(index));
        } else {
            ++index;
        }
    }
    return !leaving_.empty();
}

// -- All of them --------------------------------------------------------------------------------

void ExporterSet::tell_added(std::span<const std::uint32_t> ids) {
    for (const Entry& entry : entries_)
        entry.exporter->tell_added(ids);
}

void ExporterSet::tell_removed(std::span<const std::uint32_t> ids) {
    for (const Entry& entry : entries_)
        entry.exporter->tell_removed(ids);
}

void ExporterSet::ask_to_reopen() noexcept {
    for (const Entry& entry : entries_)
        entry.exporter->ask_to_reopen();
}

bool ExporterSet::drain(Duration grace, Duration wait_min) {
    for (Leaving& leaving : leaving_)
        entries_.push_back({.exporter = std::move(leaving.exporter), .series = leaving.series});
    leaving_.clear();
    const Instant give_up = clock_.now() + grace;
    for (const Entry& entry : entries_)
        entry.exporter->begin_drain(grace);
    bool has_ended = stuck_.empty();
    for (const Entry& entry : entries_) {
        if (entry.exporter->drain_and_stop(std::max(give_up - clock_.now(), wait_min))) continue;
        log::warning("exporter " + entry.exporter->name() +
                     " does not return from its plugin; it is left behind");
        has_ended = false;
    }
    return has_ended;
}

void ExporterSet::log_accounts() {
    for (const Entry& entry : entries_)
        log_exporter_accounts(entry.exporter->accounts());
    // To push for the last time may take a plugin long; the others' accounts do not wait for it.
    for (const Entry& entry : entries_) {
        const auto before = entry.exporter->accounts().counters;
        entry.exporter->end_plugin();
        const ExporterAccounts accounts = entry.exporter->accounts();
        if (accounts.counters != before) log_exporter_accounts(accounts);
    }
}

// A thread stuck in a plugin cannot be joined, and must not see its exporter destroyed. The others
// get their destroy(), in which they may write their last word.
void ExporterSet::abandon_stuck() noexcept {
    for (Entry& entry : entries_)
        stuck_.push_back(std::move(entry.exporter));
    entries_.clear();
    for (std::unique_ptr<Exporter>& exporter : stuck_) {
        if (exporter->drain_and_stop({})) {
            exporter.reset();
        } else {
            [[maybe_unused]] const Exporter* const left_behind = exporter.release();
        }
    }
}

}  // namespace latmon
