// What Benchmarks/duel measures of Go: `duel ROW COUNT` runs one row of its table with COUNT operations, after a
// tenth of them to warm up, and prints its figures as one line of JSON. Every row checks its own result.
//
// Goroutines and channels as one writes them, GOMAXPROCS as it comes.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// A row does count operations and returns how long they took, with its checksum.
type row func(count int) (time.Duration, uint64)

func sumOfNumbers(count int) uint64 { return uint64(count) * uint64(count-1) / 2 }

func fail(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", arguments...)
	os.Exit(1)
}

// ---- messages ----

// A number goes round each of several rings of goroutines, one down at each hop.
func rings(hops, size, rings int) (time.Duration, uint64) {
	sums, done := make(chan uint64), make(chan bool)
	first := make([]chan int, rings)
	for r := range first {
		first[r] = make(chan int)
		in := first[r]
		for i := 0; i < size; i++ {
			out := first[r]
			if i < size-1 {
				out = make(chan int)
			}
			go func(in, out chan int) {
				var sum uint64
				for number := range in {
					number--
					sum += uint64(number)
					if number == 0 {
						done <- true
						break
					}
					out <- number
				}
				close(out)
				sums <- sum
			}(in, out)
			in = out
		}
	}
	start := time.Now()
	for _, in := range first {
		in <- hops
	}
	for range first {
		<-done
	}
	took := time.Since(start)
	var sum uint64
	for i := 0; i < rings*size; i++ {
		sum += <-sums
	}
	return took, sum
}

// Senders send the numbers 0 ..< count between them over one buffered channel.
func flood(count, senders int) (time.Duration, uint64) {
	numbers := make(chan int, 1024)
	start := time.Now()
	for s := 0; s < senders; s++ {
		go func(first int) {
			for number := first; number < count; number += senders {
				numbers <- number
			}
		}(s)
	}
	var sum uint64
	for i := 0; i < count; i++ {
		sum += uint64(<-numbers)
	}
	return time.Since(start), sum
}

// ---- calls ----

type request struct {
	number int
	reply  chan uint64
}

// Answers each request with the sum so far.
func adder(requests chan request) {
	var sum uint64
	for r := range requests {
		sum += uint64(r.number)
		r.reply <- sum
	}
}

// Answers each request by asking another goroutine.
func middle(requests, next chan request) {
	reply := make(chan uint64, 1)
	for r := range requests {
		next <- request{r.number, reply}
		r.reply <- <-reply
	}
	close(next)
}

func call(count int, requests chan request) (sum uint64) {
	reply := make(chan uint64, 1)
	for number := 0; number < count; number++ {
		requests <- request{number, reply}
		sum = <-reply
	}
	close(requests)
	return sum
}

func calls(count, pairs int) (time.Duration, uint64) {
	sums := make(chan uint64)
	adders := make([]chan request, pairs)
	for p := range adders {
		adders[p] = make(chan request)
		go adder(adders[p])
	}
	start := time.Now()
	for _, requests := range adders {
		go func(requests chan request) { sums <- call(count/pairs, requests) }(requests)
	}
	var sum uint64
	for range adders {
		sum += <-sums
	}
	return time.Since(start), sum
}

func callChain(count int) (time.Duration, uint64) {
	toMiddle, toAdder := make(chan request), make(chan request)
	go adder(toAdder)
	go middle(toMiddle, toAdder)
	start := time.Now()
	sum := call(count, toMiddle)
	return time.Since(start), sum
}

// ---- lives ----

func spawns(count int) (time.Duration, uint64) {
	numbers := make(chan int)
	var sum uint64
	start := time.Now()
	for number := 0; number < count; number++ {
		go func(number int) { numbers <- number }(number)
		sum += uint64(<-numbers)
	}
	return time.Since(start), sum
}

// ---- running a row ----

func report(run row, count int, expected func(count int) uint64) {
	var took time.Duration
	for _, count := range []int{max(count/10000*1000, 1000), count} {
		var sum uint64
		if took, sum = run(count); sum != expected(count) {
			fail("the sum is %d and should be %d", sum, expected(count))
		}
	}
	fmt.Printf("{\"value\":%.3f}\n", float64(took.Nanoseconds())/float64(count))
}

func max(a, b int) int {
	if a > b {
		return a
	}
	return b
}

func main() {
	if len(os.Args) != 3 {
		fail("usage: duel ROW COUNT")
	}
	name := os.Args[1]
	count, err := strconv.Atoi(os.Args[2])
	if err != nil {
		fail("%v", err)
	}
	switch name {
	case "pair-1":
		report(func(n int) (time.Duration, uint64) { return rings(2*n, 2, 1) }, count,
			func(n int) uint64 { return sumOfNumbers(2 * n) })
	case "pairs-1000":
		report(func(n int) (time.Duration, uint64) { return rings(2*(n/1000), 2, 1000) }, count,
			func(n int) uint64 { return 1000 * sumOfNumbers(2*(n/1000)) })
	case "ring-1000":
		report(func(n int) (time.Duration, uint64) { return rings(n, 1000, 1) }, count, sumOfNumbers)
	case "call-1":
		report(func(n int) (time.Duration, uint64) { return calls(n, 1) }, count, sumOfNumbers)
	case "call-1000":
		report(func(n int) (time.Duration, uint64) { return calls(n, 1000) }, count,
			func(n int) uint64 { return 1000 * sumOfNumbers(n/1000) })
	case "call-chain":
		report(callChain, count, sumOfNumbers)
	case "flood-1to1":
		report(func(n int) (time.Duration, uint64) { return flood(n, 1) }, count, sumOfNumbers)
	case "flood-8to1":
		report(func(n int) (time.Duration, uint64) { return flood(n, 8) }, count, sumOfNumbers)
	case "spawn":
		report(spawns, count, sumOfNumbers)
	case "arm-cancel-same":
		armCancelSame(count)
	case "arm-cancel-million":
		armCancelMillion(count)
	case "sleepers":
		sleepers(count)
	default:
		fail("no row %s", name)
	}
}

// ---- timers ----

type xorshift uint64

func (x *xorshift) next() uint64 {
	v := uint64(*x)
	v ^= v << 13
	v ^= v >> 7
	v ^= v << 17
	*x = xorshift(v)
	return v
}

const live = 1000000

// A million timers, due in one to ten minutes.
func million() (*xorshift, []*time.Timer, []time.Duration) {
	random := xorshift(88172645463325252)
	delays := make([]time.Duration, 1<<16)
	for i := range delays {
		delays[i] = time.Duration(60000+random.next()%540000) * time.Millisecond
	}
	timers := make([]*time.Timer, live)
	for i := range timers {
		timers[i] = time.AfterFunc(delays[i%len(delays)], func() { fail("a timer fired") })
	}
	return &random, timers, delays
}

func armCancelSame(count int) {
	_, timers, delays := million()
	start := time.Now()
	for i := 0; i < count; i++ {
		if !time.AfterFunc(delays[i%len(delays)], func() { fail("a timer fired") }).Stop() {
			fail("a timer was not armed")
		}
	}
	fmt.Printf("{\"value\":%.3f}\n", float64(time.Since(start).Nanoseconds())/float64(count))
	runtime.KeepAlive(timers)
}

func armCancelMillion(count int) {
	random, timers, delays := million()
	places := make([]int, count)
	for i := range places {
		places[i] = int(random.next() % live)
	}
	start := time.Now()
	for i, place := range places {
		if !timers[place].Stop() {
			fail("a timer was not armed")
		}
		timers[place] = time.AfterFunc(delays[i%len(delays)], func() { fail("a timer fired") })
	}
	fmt.Printf("{\"value\":%.3f}\n", float64(time.Since(start).Nanoseconds())/float64(count))
	runtime.KeepAlive(timers)
}

func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		fail("%v", err)
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}

// Timers that fire at random moments within a second, half a second from now.
func sleepers(count int) {
	random := xorshift(88172645463325252)
	late := make([]time.Duration, count)
	var left sync.WaitGroup
	left.Add(count)
	cpu := cpuSeconds()
	for i := 0; i < count; i++ {
		i, wait := i, time.Duration(500000000+random.next()%1000000000)
		due := time.Now().Add(wait)
		time.AfterFunc(wait, func() {
			late[i] = time.Since(due)
			left.Done()
		})
	}
	left.Wait()
	cpu = cpuSeconds() - cpu
	sort.Slice(late, func(a, b int) bool { return late[a] < late[b] })
	if late[0] < 0 {
		fail("a timer fired %v early", -late[0])
	}
	fmt.Printf("{\"value\":%.6f,\"late-p99\":%.6f}\n", cpu, late[int(0.99*float64(count-1))].Seconds()*1e3)
}
