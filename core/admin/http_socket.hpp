// SPDX-License-Identifier: Apache-2.0
//
// The socket of a connection, TCP or unix, as Asio has it. The executor is named: Asio's default is
// any executor there could be, which the compiler pays for with every operation.
#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>

namespace latmon {

using HttpProtocol = boost::asio::generic::stream_protocol;
using HttpExecutor = boost::asio::io_context::executor_type;
using HttpSocket = boost::asio::basic_stream_socket<HttpProtocol, HttpExecutor>;

}  // namespace latmon
