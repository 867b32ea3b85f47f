# SPDX-License-Identifier: BSD-2-Clause
# What TLS connections cost, by who filters them.
set terminal svg size 1100,520 font 'sans-serif,12' background 'white'
set output output_file
set title 'TLS 1.3 connections over veth, client and filter, to the same without a filter (medians)'
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.85 noborder
set boxwidth 1
set grid ytics lc rgb '#dddddd'
set ylabel 'times as much as direct'
set logscale y 2
set yrange [0.5:32]
set xtics rotate by 40 right scale 0
set key outside top center horizontal
text(x) = sprintf(x < 9.995 ? '%.2f' : '%.1f', x)
plot data using 2:xtic(1) title 'CPU for each new connection' lc rgb '#3465a4', \
     data using 3 title 'p50 of a request' lc rgb '#4e9a06', \
     data using 4 title 'CPU for each GB down' lc rgb '#f57900', \
     data using 5 title 'CPU for each GB up' lc rgb '#fcaf3e', \
     for [i=0:3] data using ($0 - 0.3 + 0.2 * i):(column(i + 2)):(text(column(i + 2))) with labels rotate left offset 0, 0.3 font ',9' notitle, \
     1 notitle with lines lw 1 lc rgb '#2e3436'
