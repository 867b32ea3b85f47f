# SPDX-License-Identifier: BSD-2-Clause
# What a packet and a connect() cost, by path.
set terminal svg size 960,520 font 'sans-serif,12' background 'white'
set output output_file
set title 'Cost of a packet or a connect() in snifence''s program, by the kernel''s statistics (medians)'
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.85 noborder
set grid ytics lc rgb '#dddddd'
set ylabel 'nanoseconds'
set yrange [0:]
set offsets 0, 0, graph 0.05, 0
set xtics rotate by 40 right scale 0
set key outside top center horizontal
plot data using 2:xtic(1) title 'snifence' lc rgb '#3465a4', \
     data using ($4 > 0 ? $4 : NaN) title 'floor: one look-up' lc rgb '#888a85', \
     data using ($3 > 0 ? $3 : NaN) title 'floor: return 1' lc rgb '#d3d7cf', \
     data using ($0 - 0.25):2:(sprintf('%.0f', $2)) with labels offset 0, 0.6 font ',9' notitle
