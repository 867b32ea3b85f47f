# SPDX-License-Identifier: BSD-2-Clause
# What a verdict costs, by the number of names in the policy.
set terminal svg size 720,400 font 'sans-serif,12' background 'white'
set output output_file
set title 'The packet that completes a ClientHello of 517 bytes, by the policy''s size (medians)'
set grid lc rgb '#dddddd'
set xlabel 'names in the policy, half of them wildcards'
set ylabel 'nanoseconds'
set logscale x
set format x '10^{%L}'
set yrange [0:]
set key bottom right
plot data using 1:2 with linespoints lw 2 pt 7 lc rgb '#3465a4' title 'new connection (cold)', \
     data using 1:3 with linespoints lw 2 pt 7 lc rgb '#4e9a06' title 'test run (warm)'
