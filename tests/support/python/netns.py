# SPDX-License-Identifier: Apache-2.0
#
# Network namespaces without names: each lives as long as a process in it, so that there is nothing
# to delete and nothing is left behind when a test is killed. Needs root.
import ctypes
import os
import socket
import subprocess
import threading

import node
import runner

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def run(*command, net=None, text=None):
    """Runs a command, in another namespace if asked, and returns what it printed."""
    if net is not None:
        command = ("nsenter", f"--net=/proc/{net}/ns/net", "--", *command)
    done = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stdout


def enter():
    """Puts this process, and all that it starts, where there is nothing but loopback."""
    runner.need_root()
    runner.need_tool("ip")
    unshare()
    run("ip", "link", "set", "lo", "up")


def unshare():
    if libc.unshare(CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"unshare: {os.strerror(number)}")


def neighbour(case):
    """The pid of a process in a second, empty namespace. Both end with the test."""
    def prepare():
        node.die_with_parent()
        unshare()

    # It says a word when it is there, and ends when its standard input does.
    holder = subprocess.Popen(["sh", "-c", "echo ready; exec cat"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, preexec_fn=prepare)

    def end():
        holder.stdin.close()
        holder.wait()
        holder.stdout.close()

    case.addCleanup(end)
    holder.stdout.readline()
    run("ip", "link", "set", "lo", "up", net=holder.pid)
    return holder.pid


def socket_in(net, family, kind):
    """A socket of another namespace, for this process to use."""
    opened = []

    def enter_and_open():  # A thread has a namespace of its own.
        with open(f"/proc/{net}/ns/net", "rb") as file:
            if libc.setns(file.fileno(), CLONE_NEWNET) == 0:
                opened.append(socket.socket(family, kind))

    thread = threading.Thread(target=enter_and_open)
    thread.start()
    thread.join()
    (found,) = opened
    return found
