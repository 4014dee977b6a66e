// SPDX-License-Identifier: Apache-2.0
//
// The life of the process, top to bottom. No logic: what each step does stands where it is named.
#include "base/log.hpp"
#include "daemon/arguments.hpp"
#include "daemon/commands.hpp"
#include "daemon/daemon.hpp"
#include "daemon/doctor.hpp"
#include "daemon/give_back_memory.hpp"
#include "daemon/ping.hpp"
#include "daemon/selftest.hpp"
#include "daemon/thread_setup.hpp"

#include <cstdlib>
#include <utility>

using namespace latmon;

int main(int argc, char** argv) {
    block_signals();
    const Arguments arguments = or_exit(parse_arguments(argc, argv));
    if (!arguments.text.empty()) return print(arguments.text);
    if (arguments.command == Command::ping) return ping(arguments.ping);
    if (arguments.command == Command::doctor) return doctor(arguments);
    if (arguments.command == Command::selftest) return selftest(arguments);

    // Doubt everything before touching the network.
    Config config = or_exit(read_config(arguments));
    if (arguments.command == Command::check) return check(config);
    Plan plan = or_exit(make_plan(config, available_cpus()));
    open_log(config);
    log_warnings(plan.warnings);

    // Beyond this point the plan is not doubted any more.
    config.targets = std::vector<TargetConfig>();  // The plan's; `{}` would keep the memory.
    give_back_memory();  // Now: what is made next would lie scattered in what reading has left.
    const DaemonOptions options{.config = std::move(config),
                                .read = reader_of(arguments),
                                .clock_seam = arguments.clock_seam,
                                .probe_receive_buffer_bytes = arguments.probe_receive_buffer_bytes};
    const std::unique_ptr<Daemon> daemon = or_exit(Daemon::open(std::move(plan), options));

    // Beyond this point no core-thread allocates.
    daemon->start();
    daemon->run_until_signal();

    // Beyond this point no new probe is sent; every sample made is exported or counted.
    daemon->stop();
    return EXIT_SUCCESS;
}
