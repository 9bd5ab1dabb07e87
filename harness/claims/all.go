package claims

// All are the claims, in the order of the documents' list.
func All() []Claim {
	return []Claim{
		traditionalCopiesTwice,
		binderCopiesOnce,
		headerBounded,
		moreEfficient,
		mappingDoubles,
		fewerSystemCalls,
		procsAndThreads,
		threadPool,
		poolServes,
		repliesAlike,
	}
}
