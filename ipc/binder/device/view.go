package device

// Viewer is a Device whose driver shows what goes on in it.
type Viewer interface {
	// View is a text in the form of the kernel's file of the same name: "state",
	// "stats", "transactions" or "proc/PID". It may show more than this device's
	// context. Errors wrap errors.ErrUnsupported where the driver does not show
	// itself, and os.ErrNotExist for another name or process.
	View(name string) (string, error)
}

// Shrinker is a File whose driver can be asked to give memory back.
type Shrinker interface {
	// Shrink takes the storage of up to the given number of pages of the
	// receive region away that are under no buffer, those unused longest
	// first, and returns how many there were.
	Shrink(pages int) (int, error)
}
