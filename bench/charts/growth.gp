# SPDX-License-Identifier: BSD-2-Clause
# What a verdict costs, by the number of names or prefixes in the policy.
set terminal svg size 720,400 font 'sans-serif,12' background 'white'
set output output_file
set title 'A ClientHello of 517 bytes, and connect(), by the policy''s size (medians)'
set grid lc rgb '#dddddd'
set xlabel 'names (half of them wildcards) or prefixes in the policy'
set ylabel 'nanoseconds'
set logscale x
set format x '10^{%L}'
set yrange [0:]
set key outside top center horizontal
set datafile missing 'NaN'
plot data using 1:2 with linespoints lw 2 pt 7 lc rgb '#3465a4' title 'hello, among names, cold', \
     data using 1:3 with linespoints lw 2 pt 7 lc rgb '#4e9a06' title 'the same, warm', \
     data using 1:4 with linespoints lw 2 pt 7 lc rgb '#f57900' title 'connect(), always one prefix'
