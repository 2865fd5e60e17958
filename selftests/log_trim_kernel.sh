#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# log_trim_kernel.sh - log_trim.sh with the datapath in the module
#
# check-kernels: 6.1
# limit: 900

PXS_DATAPATH=kernel exec "$(dirname "$0")/log_trim.sh"
