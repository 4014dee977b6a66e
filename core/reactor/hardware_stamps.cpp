// SPDX-License-Identifier: Apache-2.0
//
// Two ioctls of netdevice(7); see hardware_stamps.hpp and networking/timestamping, section 3, in
// the kernel's tree.
#include "reactor/hardware_stamps.hpp"

#include "base/fd.hpp"

#include <linux/ethtool.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <cerrno>
#include <cstring>

namespace latmon {
namespace {

// Error number or 0.
int call(unsigned long request, const std::string& interface, void* data) {
    ifreq argument{};
    if (interface.size() >= sizeof(argument.ifr_name)) return ENODEV;
    std::memcpy(argument.ifr_name, interface.c_str(), interface.size());
    argument.ifr_data = static_cast<char*>(data);
    const Fd any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!any.is_open()) return errno;
    return ::ioctl(any.get(), request, &argument) == 0 ? 0 : errno;
}

std::unexpected<Error> fail_interface(const std::string& interface, int error_number) {
    if (error_number == ENODEV) {
        return fail(ExitCode::configuration, "there is no interface '" + interface +
                                                 "': 'ip -brief link' lists those there are");
    }
    return fail_errno(ExitCode::permission,
                      "the interface '" + interface + "' cannot be asked about hardware stamps",
                      error_number);
}

std::unexpected<Error> fail_ability(const std::string& interface, const HardwareStamps& ability) {
    const bool has_some = ability.has_rx || ability.has_tx || ability.clock_index >= 0;
    const std::string what = !has_some ? "takes no time stamps in hardware"
                             : ability.has_rx
                                 ? "does not stamp in hardware what it sends"
                                 : "stamps in hardware only some of what it receives (PTP)";
    return fail(ExitCode::configuration,
                "the interface '" + interface + "' " + what + " ('ethtool -T " + interface +
                    "' shows it): do without hardware stamps here; the kernel's are used");
}

bool is_on(const hwtstamp_config& config) noexcept {
    return config.tx_type == HWTSTAMP_TX_ON && config.rx_filter == HWTSTAMP_FILTER_ALL;
}

}  // namespace

HardwareStamps hardware_stamps_in(const ethtool_ts_info& info) noexcept {
    constexpr std::uint32_t rx_flags = SOF_TIMESTAMPING_RX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE;
    constexpr std::uint32_t tx_flags = SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE;
    return {.has_rx = (info.so_timestamping & rx_flags) == rx_flags &&
                      (info.rx_filters & (1U << HWTSTAMP_FILTER_ALL)) != 0,
            .has_tx = (info.so_timestamping & tx_flags) == tx_flags &&
                      (info.tx_types & (1U << HWTSTAMP_TX_ON)) != 0,
            .clock_index = info.phc_index};
}

Result<HardwareStamps> ask_hardware_stamps(const std::string& interface) {
    ethtool_ts_info info{};
    info.cmd = ETHTOOL_GET_TS_INFO;
    const int error_number = call(SIOCETHTOOL, interface, &info);
    // A driver without ethtool has no stamps either.
    if (error_number == EOPNOTSUPP) return HardwareStamps{};
    if (error_number != 0) return fail_interface(interface, error_number);
    return hardware_stamps_in(info);
}

Result<void> enable_hardware_stamps(const std::string& interface) {
    const Result<HardwareStamps> ability = ask_hardware_stamps(interface);
    if (!ability) return std::unexpected(ability.error());
    if (!ability->has_rx || !ability->has_tx) return fail_ability(interface, *ability);
    hwtstamp_config config{};
    // Another program, a PTP daemon say, may have done it already.
    if (call(SIOCGHWTSTAMP, interface, &config) == 0 && is_on(config)) return {};
    config = {.flags = 0, .tx_type = HWTSTAMP_TX_ON, .rx_filter = HWTSTAMP_FILTER_ALL};
    const int error_number = call(SIOCSHWTSTAMP, interface, &config);
    if (error_number == EPERM) {
        return fail(ExitCode::permission,
                    "hardware stamps of '" + interface +
                        "' are off, and switching them on needs CAP_NET_ADMIN: grant it, or run "
                        "'hwstamp_ctl -i " +
                        interface + " -t 1 -r 1' before latmon starts");
    }
    if (error_number != 0 || !is_on(config)) {
        return fail_errno(ExitCode::permission,
                          "the driver of '" + interface + "' refused to switch hardware stamps on",
                          error_number);
    }
    return {};
}

}  // namespace latmon
