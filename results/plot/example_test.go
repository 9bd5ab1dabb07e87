package plot_test

import (
	"os"

	"ipcbench/results/plot"
)

// A count over time, as a file.
func ExampleChart() {
	loopers := plot.Chart{
		Title: "Loopers of the pool",
		X:     plot.Axis{Label: "ms since the first call"},
		Y:     plot.Axis{Label: "threads"},
		Steps: true,
		Series: []plot.Series{
			{Name: "maximum 15", Style: 0, Points: []plot.Point{{X: 0, Y: 1}, {X: 3, Y: 2}, {X: 5, Y: 16}}},
		},
	}
	f, err := os.Create(os.DevNull)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	if d := loopers.Draw(); d != nil {
		err = d.WriteSVG(f)
	}
	if err != nil {
		panic(err)
	}
	// Output:
}
