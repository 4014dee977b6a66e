// SPDX-License-Identifier: Apache-2.0
//
// The life of the process, top to bottom. No logic.
int main() { return 0; }
