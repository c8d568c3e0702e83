// The texts that both pages share, in English. ko.ts has the same keys.
export const en = {
	'app.name': 'Jari',
	'app.tagline': 'A seat for everyone, in order.',
	'admin.title': 'Organiser',
};
