/** A page that changes on every frame, so that a live view of it gets as many pictures as it can. */
export const animatedPage = (
  name: string,
) => `<!DOCTYPE html><title>Animated ${name}</title><meta name="viewport" content="width=device-width">
<style>body { margin: 0; height: 100vh; font: 64px sans-serif; } #box { position: absolute; width: 200px; height: 200px; }</style>
<div id="box"></div><p id="count"></p><script>
let n = 0;
const draw = () => {
  n++;
  box.style.background = 'hsl(' + n + ' 80% 50%)';
  box.style.transform = 'translate(' + (n * 5) % 1000 + 'px,' + (n * 3) % 500 + 'px)';
  count.textContent = n;
  requestAnimationFrame(draw);
};
draw();
</script>`;
